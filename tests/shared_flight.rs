//! Single flight across real processes: who computes, who waits, and what becomes of leaders that
//! die, fail, are cancelled or are overtaken. The bodies run in workers and end when a test says
//! so; leases last an hour unless their end is what is tested.
#![cfg(feature = "redis")]

use std::env;
use std::fmt;

use afresh::{Cache, Outcome, Tier, cached, outcome};
use afresh_test_support::{Client, Monitor, ReplyGate, Seen, Server, Steer, Worker, eventually};
use tokio::task::JoinHandle;

/// An error that can tell of another process's failure.
#[derive(Debug)]
struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<afresh::Error> for Failed {
    fn from(error: afresh::Error) -> Self {
        Self(format!("{:?}: {error}", error.kind()))
    }
}

/// An error that cannot.
#[derive(Debug)]
struct Mute;

#[cached(ttl = 1800, key = "{id}", tags = ["books"], singleflight(lease = "1h", wait = "1h"), cache = cache)]
async fn book(cache: &Cache, port: u16, id: &str) -> Result<String, Failed> {
    run(port).await.map_err(Failed)
}

#[cached(ttl = 1800, key = "{id}", singleflight(lease = "1h", wait = "1h"), cache = cache)]
async fn mute(cache: &Cache, port: u16, id: &str) -> Result<String, Mute> {
    run(port).await.map_err(|_| Mute)
}

#[cached(ttl = 1800, key = "{id}", singleflight(lease = "300ms", wait = "1h"), cache = cache)]
async fn renewed(cache: &Cache, port: u16, id: &str) -> Result<String, Failed> {
    run(port).await.map_err(Failed)
}

/// Counts the run in the server, then waits there for its own word to go on.
async fn run(port: u16) -> Result<String, String> {
    let runs = tokio::task::spawn_blocking(move || {
        let mut client = Client::connect(port).expect("the server");
        let run = client.command(&["INCR", "runs"]).expect("a count").int();
        let word = client.command(&["BLPOP", &format!("go:{run}"), "30"]);
        let word = word.expect("a word").list();
        (run, word[1].to_string())
    });
    match runs.await.expect("the run") {
        (run, word) if word == "ok" => Ok(format!("run {run}")),
        (run, word) => Err(format!("run {run}: {word}")),
    }
}

async fn connect(url: &str) -> Cache {
    let builder = Cache::builder().url(url).prefix("shop");
    builder.build().await.expect("a cache")
}

/// A process with a cache, which makes calls as it is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn member() {
    let Some(steer) = Steer::take() else { return };
    let port: u16 = env::var("PORT").expect("a port").parse().expect("a port");
    let cache = connect(&format!("redis://127.0.0.1:{port}/")).await;
    let steer = std::sync::Arc::new(steer);
    let mut calls: Option<JoinHandle<()>> = None;
    while let Some(order) = steer.hear_async().await {
        let words: Vec<_> = order.split(' ').map(str::to_owned).collect();
        match words[0].as_str() {
            "cancel" => {
                let calls = calls.take().expect("a call");
                calls.abort();
                let _ = calls.await;
            }
            "invalidate" => {
                cache.invalidate([words[1].as_str()]).await.expect("it is");
                steer.say("invalidated");
            }
            "stats" => {
                let stats = cache.stats();
                steer.say(format!("{} {}", stats.refused, stats.wait_timeouts));
            }
            function => {
                let (function, callers) = (function.to_owned(), words[1].parse().expect("a count"));
                let (cache, steer) = (cache.clone(), std::sync::Arc::clone(&steer));
                calls = Some(tokio::spawn(async move {
                    let calls = (0..callers).map(|_| call(&cache, &function, port));
                    let mut ended = futures_util::future::join_all(calls).await;
                    ended.dedup();
                    steer.say(ended.join(", "));
                }));
            }
        }
    }
}

async fn call(cache: &Cache, function: &str, port: u16) -> String {
    let ended = match function {
        "book" => book(cache, port, "1").await.map_err(|error| error.0),
        "mute" => mute(cache, port, "1").await.map_err(|_| "mute".to_owned()),
        "renewed" => renewed(cache, port, "1").await.map_err(|error| error.0),
        other => panic!("no function {other}"),
    };
    ended.unwrap_or_else(|error| error)
}

/// A server, and two processes that share it.
struct Fleet {
    server: Server,
    monitor: Monitor,
    one: Worker,
    two: Worker,
}

impl Fleet {
    fn start() -> Self {
        let server = Server::start();
        let port = server.port().to_string();
        let member = || Worker::spawn_with("member", &[("PORT", &port)]);
        let (one, two) = (member(), member());
        let monitor = server.monitor();
        Self {
            server,
            monitor,
            one,
            two,
        }
    }

    /// The first process computes; its body has begun.
    fn lead(&mut self, function: &str) {
        self.one.say(format!("{function} 1"));
        self.await_run(1);
    }

    /// The second process waits for the first one's lease.
    fn follow(&mut self, function: &str) {
        self.two.say(format!("{function} 1"));
        eventually("the second process's bid", || self.bidders().len() == 2);
    }

    fn runs(&self) -> String {
        self.server.cli(&["GET", "runs"])
    }

    fn await_run(&self, run: u32) {
        eventually("the run", || self.runs() == run.to_string());
    }

    /// Lets a run end.
    fn end(&self, run: u32, word: &str) {
        self.server.cli(&["RPUSH", &format!("go:{run}"), word]);
    }

    /// The connections that have bid for a lease, in order.
    fn bidders(&self) -> Vec<String> {
        let mut bidders = Vec::new();
        for seen in self.monitor.commands() {
            // Two keys, of which the second is a lease, and six arguments.
            if is_script(&seen, 2) && seen.words.len() == 11 && !bidders.contains(&seen.from) {
                bidders.push(seen.from);
            }
        }
        bidders
    }

    /// The lease that is held, and its name.
    fn lease(&self) -> (String, Vec<u8>) {
        let name = self.server.cli(&["KEYS", "*:afresh:1:l:*"]);
        let value = self.server.command(&[b"GET", name.as_bytes()]).bytes();
        (name, value.expect("a lease is held"))
    }

    /// Whether a lease has been released or renewed by this connection.
    fn has_released(&self, connection: &str) -> bool {
        let commands = self.monitor.commands();
        let mut of_it = commands.iter().filter(|seen| seen.from == connection);
        of_it.any(|seen| is_script(seen, 1))
    }
}

/// Whether a command calls a script with this many keys, the last of which is a lease.
fn is_script(seen: &Seen, keys: usize) -> bool {
    seen.words[0] == "EVALSHA"
        && seen.words[2] == keys.to_string()
        && seen.words[2 + keys].contains(":afresh:1:l:")
}

#[test]
fn fifty_callers_in_two_processes_run_one_body() {
    let mut fleet = Fleet::start();
    fleet.one.say("book 25");
    fleet.two.say("book 25");
    eventually("both processes bid", || fleet.bidders().len() == 2);
    fleet.await_run(1);
    fleet.end(1, "ok");
    fleet.one.expect("run 1");
    fleet.two.expect("run 1");
    assert_eq!(fleet.runs(), "1");
}

#[test]
fn a_body_longer_than_its_lease_renews_it() {
    let mut fleet = Fleet::start();
    fleet.lead("renewed");
    fleet.follow("renewed");
    let renewals = || fleet.server.commandstats().get("pexpire").copied();
    eventually("three leases' time of renewals", || {
        renewals() >= Some(9) || fleet.runs() != "1"
    });
    fleet.end(1, "ok");
    fleet.one.expect("run 1");
    fleet.two.expect("run 1");
    assert_eq!(fleet.runs(), "1");
}

#[test]
fn a_killed_leader_is_replaced_when_its_lease_ends() {
    let mut fleet = Fleet::start();
    fleet.lead("renewed");
    fleet.follow("renewed");
    fleet.one.kill();
    fleet.await_run(2);
    fleet.end(2, "ok");
    fleet.two.expect("run 2");
    assert_eq!(fleet.two.ask("stats"), "0 0", "nobody gave up waiting");
}

#[test]
fn a_leader_that_lost_its_lease_neither_commits_nor_frees_it() {
    let mut fleet = Fleet::start();
    fleet.lead("book");
    let (name, _) = fleet.lease();
    fleet.server.cli(&["DEL", &name]);
    fleet.two.say("book 1");
    fleet.await_run(2);
    let lease = fleet.lease();
    fleet.end(1, "ok");
    // Its caller gets what it computed; nobody else does.
    fleet.one.expect("run 1");
    assert_eq!(fleet.one.ask("stats"), "1 0", "the commit was refused");
    assert_eq!(fleet.lease(), lease, "the second holder keeps its lease");
    fleet.end(2, "ok");
    fleet.two.expect("run 2");
    assert_eq!(fleet.one.ask("book 1"), "run 2");
    assert_eq!(fleet.two.ask("book 1"), "run 2");
}

#[test]
fn a_leader_that_was_halted_does_not_replace_the_newer_value() {
    let mut fleet = Fleet::start();
    fleet.lead("renewed");
    fleet.one.pause();
    fleet.two.say("renewed 1");
    fleet.await_run(2);
    fleet.end(2, "ok");
    fleet.two.expect("run 2");
    fleet.one.resume();
    fleet.end(1, "ok");
    fleet.one.expect("run 1");
    assert_eq!(fleet.one.ask("stats"), "1 0", "the commit was refused");
    assert_eq!(fleet.one.ask("renewed 1"), "run 2");
}

#[test]
fn a_cancelled_leader_that_lost_its_lease_does_not_free_it() {
    let mut fleet = Fleet::start();
    fleet.lead("book");
    let (name, _) = fleet.lease();
    fleet.server.cli(&["DEL", &name]);
    fleet.two.say("book 1");
    fleet.await_run(2);
    let lease = fleet.lease();
    let first = fleet.bidders().swap_remove(0);
    fleet.one.say("cancel");
    eventually("the release", || fleet.has_released(&first));
    assert_eq!(fleet.lease(), lease, "the second holder keeps its lease");
    fleet.end(2, "ok");
    fleet.two.expect("run 2");
}

#[test]
fn a_cancelled_leader_frees_its_lease_at_once() {
    let mut fleet = Fleet::start();
    fleet.lead("book");
    fleet.follow("book");
    fleet.one.say("cancel");
    fleet.await_run(2);
    fleet.end(2, "ok");
    fleet.two.expect("run 2");
}

#[test]
fn a_failed_leader_tells_its_followers_elsewhere() {
    let mut fleet = Fleet::start();
    fleet.lead("book");
    fleet.follow("book");
    fleet.end(1, "no such book");
    fleet.one.expect("run 1: no such book");
    let heard = fleet.two.hear();
    assert!(heard.starts_with("LeaderFailed: "), "{heard}");
    assert!(heard.contains("run 1: no such book"), "{heard}");
    assert_eq!(fleet.runs(), "1");
    // The failure is for those who waited for it, not for who comes later.
    fleet.two.say("book 1");
    fleet.await_run(2);
    fleet.end(2, "ok");
    fleet.two.expect("run 2");
}

#[test]
fn followers_of_a_failure_that_cannot_be_told_compute_at_once() {
    let mut fleet = Fleet::start();
    fleet.lead("mute");
    fleet.follow("mute");
    fleet.end(1, "no such book");
    fleet.one.expect("mute");
    fleet.await_run(2);
    fleet.end(2, "ok");
    fleet.two.expect("run 2");
}

#[test]
fn a_waiting_process_sends_nothing_but_its_heartbeat_until_it_is_woken() {
    let mut fleet = Fleet::start();
    fleet.lead("book");
    fleet.follow("book");
    let second = fleet.bidders().swap_remove(1);
    let since_the_bid = |monitor: &Monitor| {
        let commands = monitor.commands();
        let of_it = commands.into_iter().filter(|seen| seen.from == second);
        let since = of_it.skip_while(|seen| !is_script(seen, 2)).skip(1);
        since.map(|seen| seen.words[0].clone()).collect::<Vec<_>>()
    };
    // The heartbeat uses these, and it alone the last.
    let is_beat = |word: &&String| ["HDEL", "HMGET", "TIME"].contains(&word.as_str());
    eventually("two heartbeats", || {
        let sent = since_the_bid(&fleet.monitor);
        sent.iter().filter(|word| *word == "TIME").count() >= 2
    });
    let sent = since_the_bid(&fleet.monitor);
    assert!(sent.iter().all(|word| is_beat(&word)), "{sent:?}");
    fleet.end(1, "ok");
    fleet.two.expect("run 1");
    let sent = since_the_bid(&fleet.monitor);
    let woken: Vec<_> = sent.iter().filter(|word| !is_beat(word)).collect();
    assert_eq!(woken, ["GET"], "woken once, it reads the entry");
}

#[test]
fn a_call_after_an_invalidation_takes_an_older_computes_lease_over() {
    let mut fleet = Fleet::start();
    fleet.lead("book");
    assert_eq!(fleet.two.ask("invalidate books"), "invalidated");
    fleet.two.say("book 1");
    fleet.await_run(2);
    fleet.end(1, "ok");
    fleet.one.expect("run 1");
    assert_eq!(fleet.one.ask("stats"), "1 0", "the old fill was refused");
    fleet.end(2, "ok");
    fleet.two.expect("run 2");
    assert_eq!(fleet.one.ask("book 1"), "run 2");
    assert_eq!(fleet.two.ask("book 1"), "run 2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_between_the_look_up_and_the_lease_is_used() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let builder = Cache::builder().url(gate.url()).prefix("shop");
    let late = builder.op_timeout(afresh_test_support::PATIENCE).build();
    let late = late.await.expect("a cache");
    let early = connect(&server.url()).await;
    let port = server.port();
    gate.hold();
    server.reset_stats();
    let call = tokio::spawn(async move { outcome(book(&late, port, "1")).await });
    let has_looked = || server.commandstats().contains_key("get");
    eventually("the look-up, which finds nothing", has_looked);
    server.cli(&["RPUSH", "go:1", "ok"]);
    assert_eq!(book(&early, port, "1").await.expect("a book"), "run 1");
    gate.release();
    let (value, came) = call.await.expect("a call");
    assert_eq!(value.expect("a book"), "run 1");
    assert_eq!(came, Outcome::Hit(Tier::Shared));
    assert_eq!(server.cli(&["GET", "runs"]), "1");
}
