//! A primary, two replicas and three sentinels that watch them, all of a test's own, and what can
//! happen to them. The sentinels decide; nothing here promotes a server itself.

use crate::launch::Setup;
use crate::resp::{Client, Reply};
use crate::rights::LOGIN;
use crate::server::{Server, Stop};
use crate::wait::eventually;

/// What the sentinels call the primary.
const NAME: &str = "shop";
const REPLICAS: usize = 2;

/// After how many ms without an answer each sentinel gives a server up. Where all do so at once,
/// each votes for itself, and none may begin again for four seconds.
const PATIENCES: [u32; 3] = [600, 800, 1000];

/// How often a sentinel does what it does regularly, in ms. By default these are seconds: a server
/// is then told of its new place after ten, and one that was just promoted would be given up before
/// it is asked for the first time. Five pings have to take longer than the second after which a
/// sentinel asks replicas how they are: only one that was asked within that time is promoted.
const PERIODS: [(&str, &str); 4] = [
    ("PING-PERIOD", "300"),
    ("INFO-PERIOD", "200"),
    ("PUBLISH-PERIOD", "200"),
    ("MIN-LINK-RECONNECT-PERIOD", "100"),
];

/// Running servers, and the sentinels that watch them. The servers have numbers from 0 on, which
/// they keep whatever they become; at first, 0 is the primary.
#[derive(Debug)]
pub struct Sentinels {
    servers: Vec<Server>,
    sentinels: Vec<Server>,
}

impl Sentinels {
    /// Starts servers and sentinels of this caller's own.
    #[must_use]
    pub fn start() -> Self {
        let primary = data_server("");
        let follow = format!("replicaof 127.0.0.1 {}\n", primary.port());
        let replicas: Vec<_> = (0..REPLICAS).map(|_| data_server(&follow)).collect();
        // A sentinel looks at a server's replicas when it meets it, then every ten seconds.
        for replica in &replicas {
            primary.await_copy(replica);
        }
        let sentinels = PATIENCES
            .map(|patience| sentinel(&primary, patience))
            .into();
        let servers = [primary].into_iter().chain(replicas).collect();
        let group = Self { servers, sentinels };
        for sentinel in &group.sentinels {
            group.await_acquaintance(sentinel);
        }
        group
    }

    /// `redis-sentinel://user:password@127.0.0.1:port,…/shop`, naming every sentinel. The user is
    /// the servers', with the least rights that the cache needs; the sentinels ask for none.
    #[must_use]
    pub fn url(&self) -> String {
        let sentinel = |sentinel: &Server| format!("127.0.0.1:{}", sentinel.port());
        let sentinels: Vec<_> = self.sentinels.iter().map(sentinel).collect();
        format!("redis-sentinel://{LOGIN}{}/{NAME}", sentinels.join(","))
    }

    /// The servers that are watched, stopped ones included.
    #[must_use]
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The sentinels themselves. One that is restarted looks at its usual, slower pace.
    #[must_use]
    pub fn sentinels(&self) -> &[Server] {
        &self.sentinels
    }

    /// The primary that the sentinels name; they have to agree.
    #[track_caller]
    #[must_use]
    pub fn primary(&self) -> &Server {
        let mut named = None;
        eventually("the sentinels' agreement", || {
            named = self.agreed();
            named.is_some()
        });
        &self.servers[named.expect("agreed on")]
    }

    /// Has the sentinels put a replica in the primary's place, and waits until it takes writes.
    /// Returns the number of the new primary.
    ///
    /// The former primary is not told at once: it takes writes, which will be lost, until the
    /// sentinels have seen for about a second what it takes itself for.
    /// [`await_copies`](Self::await_copies) waits for that.
    #[track_caller]
    pub fn fail_over(&self) -> usize {
        let before = self.number(self.primary());
        eventually("the failover's beginning", || {
            let words: [&[u8]; 3] = [b"SENTINEL", b"FAILOVER", NAME.as_bytes()];
            let reply = self.sentinel().command(&words);
            let Reply::Error(error) = &reply else {
                return true;
            };
            // One is under way, or no replica has been seen lately enough: both pass.
            let passes = error.starts_with("INPROG") || error.starts_with("NOGOODSLAVE");
            assert!(passes, "SENTINEL FAILOVER: {error}");
            self.agreed().is_some_and(|now| now != before)
        });
        self.await_promotion(before)
    }

    /// Kills the primary, and waits until another takes writes. Returns the number of the one that
    /// was killed.
    #[track_caller]
    pub fn kill_primary(&self) -> usize {
        let before = self.number(self.primary());
        self.servers[before].stop(Stop::Kill);
        self.await_promotion(before);
        before
    }

    /// Cuts the primary off from its replicas and from the sentinels, and waits until another has
    /// taken its place. Those who log in as the URL has it are still connected to it, and can
    /// connect to it. Returns its number.
    #[track_caller]
    pub fn cut_off_primary(&self) -> usize {
        let before = self.number(self.primary());
        // The others come as the default user.
        let server = &self.servers[before];
        server.cli(&[
            "ACL",
            "SETUSER",
            KEEPER,
            "on",
            &format!(">{KEEPER}"),
            "+@all",
            "~*",
            "&*",
        ]);
        let mut keeper = keeper(server);
        tell(&mut keeper, &["ACL", "SETUSER", "default", "off"]);
        tell(&mut keeper, &["CLIENT", "KILL", "USER", "default"]);
        self.await_promotion(before);
        before
    }

    /// Ends what [`cut_off_primary`](Self::cut_off_primary) began: the server is found by the
    /// others, and follows the new primary.
    #[track_caller]
    pub fn let_back(&self, number: usize) {
        let mut keeper = keeper(&self.servers[number]);
        tell(&mut keeper, &["ACL", "SETUSER", "default", "on"]);
        self.servers[number].cli(&["ACL", "DELUSER", KEEPER]);
        self.await_copies();
    }

    /// Starts a stopped server again, without its data, and waits until it follows whoever is the
    /// primary now. Where it was the primary, the sentinels need a moment to tell it that it is not.
    #[track_caller]
    pub fn restart(&self, number: usize) {
        self.servers[number].restart();
        self.await_copies();
    }

    /// Waits until every server that serves follows the primary and has all of its writes: after
    /// a fault of the caller's own too, in the course of which the primary may still change.
    #[track_caller]
    pub fn await_copies(&self) {
        eventually("the servers' following the one that was agreed on", || {
            self.is_over() && self.agreed().is_some_and(|primary| self.follow(primary))
        });
        let primary = self.primary();
        let serving = self.servers.iter().filter(|server| server.serves());
        for server in serving.filter(|server| server.port() != primary.port()) {
            primary.await_copy(server);
        }
    }

    /// Whether every server that serves follows this one.
    fn follow(&self, primary: usize) -> bool {
        let port = self.servers[primary].port();
        let follows = |server: &Server| {
            let said = server.replication();
            said.is_some_and(|said| said.get("master_port") == Some(&port.to_string()))
        };
        let serving = self.servers.iter().filter(|server| server.serves());
        serving.filter(|server| server.port() != port).all(follows)
    }

    /// Waits until a sentinel knows all replicas and all other sentinels.
    fn await_acquaintance(&self, sentinel: &Server) {
        let known = |kind: &str| {
            let words: [&[u8]; 3] = [b"SENTINEL", kind.as_bytes(), NAME.as_bytes()];
            let known = sentinel.command(&words).list();
            let well = |other: &Reply| {
                let flags = field(other, "flags");
                !["s_down", "o_down", "disconnected"]
                    .iter()
                    .any(|bad| flags.contains(bad))
            };
            known.iter().filter(|other| well(other)).count()
        };
        eventually("the sentinels' acquaintance", || {
            known("REPLICAS") == REPLICAS && known("SENTINELS") == PATIENCES.len() - 1
        });
    }

    #[track_caller]
    fn await_promotion(&self, before: usize) -> usize {
        let mut promoted = None;
        eventually("another primary", || {
            promoted = self.agreed().filter(|now| *now != before);
            promoted.is_some_and(|now| writes(&self.servers[now]) && self.is_over())
        });
        promoted.expect("promoted")
    }

    /// The server that all sentinels name as the primary.
    fn agreed(&self) -> Option<usize> {
        let words: [&[u8]; 3] = [b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", NAME.as_bytes()];
        let mut named = self.serving().map(|sentinel| {
            let address = sentinel.command(&words).list();
            let port = address.get(1).map(ToString::to_string);
            let is_it = |server: &Server| Some(server.port().to_string()) == port;
            self.servers.iter().position(is_it)
        });
        let first = named.next()??;
        named.all(|other| other == Some(first)).then_some(first)
    }

    /// Whether no sentinel is at work on a failover, or about to be.
    fn is_over(&self) -> bool {
        let words: [&[u8]; 3] = [b"SENTINEL", b"MASTER", NAME.as_bytes()];
        self.serving().all(|sentinel| {
            let flags = field(&sentinel.command(&words), "flags");
            !flags.contains("failover") && !flags.contains("down")
        })
    }

    fn serving(&self) -> impl Iterator<Item = &Server> {
        self.sentinels.iter().filter(|sentinel| sentinel.serves())
    }

    #[track_caller]
    fn sentinel(&self) -> &Server {
        self.serving().next().expect("no sentinel serves")
    }

    fn number(&self, server: &Server) -> usize {
        let same = |other: &Server| other.port() == server.port();
        self.servers.iter().position(same).expect("one of ours")
    }
}

/// A user of the test's own, where the default one is shut out.
const KEEPER: &str = "keeper";

#[track_caller]
fn keeper(server: &Server) -> Client {
    let mut client = server.client();
    tell(&mut client, &["AUTH", KEEPER, KEEPER]);
    client
}

#[track_caller]
fn tell(client: &mut Client, words: &[&str]) {
    let reply = client.command(words).expect("an answer");
    assert!(!reply.is_error(), "`{}`: {reply}", words.join(" "));
}

/// A server that keeps in a file what the sentinels make of it, so that it is that after a restart.
fn data_server(config: &str) -> Server {
    Server::set_up(Setup {
        config: Some(config.to_owned()),
        ..Setup::with(&[])
    })
}

fn sentinel(primary: &Server, patience: u32) -> Server {
    let config = format!(
        "sentinel monitor {NAME} 127.0.0.1 {port} 2\n\
         sentinel down-after-milliseconds {NAME} {patience}\n\
         sentinel failover-timeout {NAME} 2000\n\
         sentinel parallel-syncs {NAME} 1\n",
        port = primary.port()
    );
    let sentinel = Server::set_up(Setup {
        config: Some(config),
        user: false,
        ..Setup::with(&["--sentinel"])
    });
    for (period, length) in PERIODS {
        sentinel.cli(&["SENTINEL", "DEBUG", period, length]);
    }
    sentinel
}

/// A field of what a sentinel says of a server: names and values in turn.
fn field(about: &Reply, name: &str) -> String {
    let words: Vec<_> = about
        .clone()
        .list()
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut pairs = words.chunks_exact(2);
    let pair = pairs.find(|pair| pair[0] == name);
    pair.unwrap_or_else(|| panic!("a sentinel does not say `{name}`: {about}"))[1].clone()
}

/// Whether a server takes writes: by one that changes nothing.
fn writes(server: &Server) -> bool {
    let ask = || Client::connect(server.port())?.command(&["HDEL", "nothing", "nothing"]);
    server.serves() && ask().is_ok_and(|reply| !reply.is_error())
}
