//! The servers under the storm, and what can happen to each kind of them. Each fault returns when
//! its servers are well again.

use std::thread;
use std::time::Duration;

use afresh_test_support::{Client, Cluster, Sentinels, Server, Stop};

use crate::random::Random;
use crate::windows::Windows;
use crate::worker::PREFIX;

/// One kind of servers.
pub(crate) trait Deployment: Sync {
    fn url(&self) -> String;

    /// All that a process may connect to.
    fn servers(&self) -> Vec<&Server>;

    /// What can happen, by name; a name that is there twice happens twice as often.
    fn faults(&self) -> Vec<&'static str>;

    /// What can happen to such servers, and is not tried.
    fn lacks(&self) -> Option<&'static str> {
        None
    }

    /// What the servers say of themselves, for when they do not get well.
    fn state(&self) -> String;

    /// Lets it happen, and waits until it is over.
    fn inject(&self, fault: &str, random: &Random, windows: &Windows);
}

fn state_of(servers: Vec<&Server>) -> String {
    let state = |server: &Server| {
        let port = server.port();
        let said = Client::connect(port).and_then(|mut client| {
            let role = client.command(&["ROLE"])?;
            let cluster = client.command(&["CLUSTER", "NODES"])?;
            Ok(format!("{role}\n{cluster}"))
        });
        match said {
            Ok(said) => format!("port {port}: {said}"),
            Err(error) => format!("port {port}: {error}"),
        }
    };
    let states: Vec<_> = servers.into_iter().map(state).collect();
    states.join("\n")
}

/// What can happen to any server that has the log.
const TO_ANY: [&str; 5] = [
    "connections cut",
    "FLUSHALL",
    "a key of the log evicted",
    "a key of the log evicted",
    "scripts flushed",
];

/// Lets one of `TO_ANY` happen.
fn inject_to(server: &Server, fault: &str, random: &Random) {
    match fault {
        "connections cut" => {
            server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        }
        "FLUSHALL" => {
            server.cli(&["FLUSHALL"]);
        }
        "scripts flushed" => {
            server.cli(&["SCRIPT", "FLUSH"]);
        }
        "a key of the log evicted" => {
            let keys = server.cli(&["KEYS", &format!("{{{PREFIX}}}:*")]);
            let keys: Vec<_> = keys.lines().collect();
            // There is none just after a flush.
            if !keys.is_empty() {
                let key = *random.pick(keys.as_slice());
                server.cli(&["DEL", key]);
            }
        }
        other => panic!("there is no fault `{other}`"),
    }
}

fn pause(server: &Server, random: &Random) {
    server.pause();
    thread::sleep(Duration::from_millis(1_000 + random.below(4_000)));
    server.resume();
}

/// One server that keeps nothing.
pub(crate) struct Standalone(Server);

impl Standalone {
    pub(crate) fn start() -> Self {
        Self(Server::start())
    }
}

impl Deployment for Standalone {
    fn url(&self) -> String {
        self.0.url()
    }

    fn servers(&self) -> Vec<&Server> {
        vec![&self.0]
    }

    fn faults(&self) -> Vec<&'static str> {
        [&TO_ANY[..], &["server halted", "server restarted"]].concat()
    }

    fn state(&self) -> String {
        state_of(self.servers())
    }

    fn inject(&self, fault: &str, random: &Random, _: &Windows) {
        match fault {
            "server halted" => pause(&self.0, random),
            "server restarted" => {
                self.0.stop(Stop::Kill);
                thread::sleep(Duration::from_millis(random.below(1_500)));
                self.0.restart();
            }
            other => inject_to(&self.0, other, random),
        }
    }
}

/// Has a primary acknowledge, for a while, what its replicas will never have.
fn run_ahead(primary: &Server, random: &Random) {
    primary.cli(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    primary.cli(&["ACL", "SETUSER", "default", "-psync", "-sync", "-replconf"]);
    primary.cli(&["CLIENT", "KILL", "TYPE", "replica"]);
    thread::sleep(Duration::from_millis(200 + random.below(400)));
    assert_eq!(primary.info("replication")["connected_slaves"], "0");
}

/// A primary, its replicas, and the sentinels that replace it.
pub(crate) struct Replaced(Sentinels);

impl Replaced {
    pub(crate) fn start() -> Self {
        let replaced = Self(Sentinels::start());
        for server in replaced.0.servers() {
            needs_a_replica(server);
        }
        replaced
    }

    fn kill(&self, random: &Random) {
        let killed = self.0.kill_primary();
        thread::sleep(Duration::from_millis(random.below(1_000)));
        self.0.restart(killed);
        needs_a_replica(&self.0.servers()[killed]);
    }
}

/// A primary without replicas takes no writes: one that was replaced cannot acknowledge what will
/// be lost, as soon as it knows that its replicas have left it.
fn needs_a_replica(server: &Server) {
    server.cli(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
}

impl Deployment for Replaced {
    fn url(&self) -> String {
        self.0.url()
    }

    fn servers(&self) -> Vec<&Server> {
        self.0.servers().iter().chain(self.0.sentinels()).collect()
    }

    fn faults(&self) -> Vec<&'static str> {
        let own = [
            "failover",
            "primary killed",
            "primary killed ahead of its replicas",
            "primary halted",
            "primary cut off",
        ];
        [&TO_ANY[..], &own].concat()
    }

    fn state(&self) -> String {
        state_of(self.servers())
    }

    fn inject(&self, fault: &str, random: &Random, windows: &Windows) {
        match fault {
            // Its clients stay: they are told that it takes no writes without its replicas.
            "primary cut off" => windows.around(|| {
                let cut_off = self.0.cut_off_primary();
                thread::sleep(Duration::from_millis(random.below(2_000)));
                self.0.let_back(cut_off);
            }),
            // The sentinels do not ask the old primary, and tell it late.
            "failover" => windows.around(|| {
                self.0.fail_over();
                self.0.await_copies();
            }),
            "primary killed" => self.kill(random),
            "primary killed ahead of its replicas" => {
                run_ahead(self.0.primary(), random);
                self.kill(random);
            }
            "primary halted" => windows.around(|| {
                pause(self.0.primary(), random);
                self.0.await_copies();
            }),
            other => inject_to(self.0.primary(), other, random),
        }
    }
}

/// Longer than the votes of an election count.
const ELECTION: Duration = Duration::from_secs(4);

/// A cluster of three primaries, each with a replica.
pub(crate) struct Clustered(Cluster);

impl Clustered {
    pub(crate) fn start() -> Self {
        Self(Cluster::start())
    }

    fn slot_of_log() -> u16 {
        Cluster::slot_of(format!("{{{PREFIX}}}").as_bytes())
    }

    fn primary(&self) -> &Server {
        self.0.node(self.0.primary_of(Self::slot_of_log()))
    }

    /// The slot of an entry that is there, or the log's.
    fn slot_of_entry(&self, random: &Random) -> u16 {
        for _ in 0..self.0.count() {
            let node = self.0.node(random.below(self.0.count() as u64) as usize);
            let keys = node.cli(&["KEYS", &format!("{PREFIX}:*")]);
            let keys: Vec<_> = keys.lines().collect();
            if !keys.is_empty() {
                return Cluster::slot_of(random.pick(keys.as_slice()).as_bytes());
            }
        }
        Self::slot_of_log()
    }

    /// Moves a slot to another primary, with a while on the way.
    fn migrate(&self, slot: u16, random: &Random) {
        let from = self.0.primary_of(slot);
        let primary = |number: &usize| {
            *number != from && self.0.node(*number).info("replication")["role"] == "master"
        };
        let others: Vec<_> = (0..self.0.count()).filter(primary).collect();
        let to = *random.pick(&others);
        self.0.begin_migration(slot, to);
        thread::sleep(Duration::from_millis(random.below(300)));
        self.0.move_keys(slot, to);
        thread::sleep(Duration::from_millis(random.below(300)));
        self.0.end_migration(slot, to);
    }
}

impl Deployment for Clustered {
    fn url(&self) -> String {
        self.0.url()
    }

    fn servers(&self) -> Vec<&Server> {
        (0..self.0.count())
            .map(|number| self.0.node(number))
            .collect()
    }

    fn faults(&self) -> Vec<&'static str> {
        let own = [
            "failover of the log",
            "failover of entries",
            "primary of the log halted",
            "primary of the log killed",
            "primary of the log killed ahead of its replica",
            "primary of entries killed",
            "slot of the log moved",
            "slot of entries moved",
            "node halted",
        ];
        [&TO_ANY[..], &own].concat()
    }

    fn lacks(&self) -> Option<&'static str> {
        Some("nodes cut off from each other: their own connections lead past every proxy")
    }

    fn state(&self) -> String {
        state_of(self.servers())
    }

    fn inject(&self, fault: &str, random: &Random, windows: &Windows) {
        let log = Self::slot_of_log();
        let kill = |slot| {
            let killed = self.0.kill_primary(slot);
            thread::sleep(Duration::from_millis(random.below(1_000)));
            self.0.restart(killed);
        };
        match fault {
            "failover of the log" => {
                self.0.fail_over(log);
            }
            "failover of entries" => {
                self.0.fail_over(self.slot_of_entry(random));
            }
            "primary of the log killed" => kill(log),
            "primary of the log killed ahead of its replica" => {
                run_ahead(self.primary(), random);
                kill(log);
            }
            "primary of entries killed" => kill(self.slot_of_entry(random)),
            "slot of the log moved" => self.migrate(log, random),
            "slot of entries moved" => self.migrate(self.slot_of_entry(random), random),
            "node halted" => {
                // Too short for the others to replace it.
                let node = random.below(self.0.count() as u64) as usize;
                self.0.node(node).pause();
                thread::sleep(Duration::from_millis(100 + random.below(600)));
                self.0.node(node).resume();
            }
            "primary of the log halted" => {
                windows.around(|| {
                    pause(self.primary(), random);
                    self.0.settle();
                });
                // A replica that was elected is not to stand again at once: it would take the old
                // votes for new ones.
                thread::sleep(ELECTION);
            }
            other => inject_to(self.primary(), other, random),
        }
    }
}
