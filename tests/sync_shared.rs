//! Sync functions with a shared cache: called from anywhere, they are hits there too, share their
//! computes across caches and processes, keep their leases, and end in time whatever becomes of the
//! server. Bodies end when a test says so.
#![cfg(feature = "redis")]

#[path = "sync/places.rs"]
mod places;
#[path = "sync/world.rs"]
mod world;

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use afresh::{Builder, Cache, Consistency, ErrorKind, cached, entry_sync, invalidates};
use afresh_test_support::{Client, Monitor, ReplyGate, Server, Steer, Stop, Worker, eventually};

use places::{CONTEXTS, workers};
use world::{Caller, World, await_waiting, block_on};

#[cached(ttl = 1800, key = "{id}", tags = ["books"], singleflight(lease = "1h", wait = "1h"), cache = world.cache)]
fn book(world: &World, id: u64) -> u64 {
    id * 10 + world.body() as u64
}

#[cached(ttl = 1800, key = "{id}", singleflight(lease = "300ms", wait = "1h"), cache = world.cache)]
fn long(world: &World, id: u64) -> u64 {
    id * 10 + world.body() as u64
}

/// Reads its source, a number.
#[cached(ttl = 1800, key = (), tags = ["source"], singleflight, cache = cache)]
fn read(cache: &Cache, source: &AtomicU64) -> u64 {
    source.load(Ordering::SeqCst)
}

/// Changes it.
#[invalidates(tags = ["source"], cache = cache)]
fn change(cache: &Cache, source: &AtomicU64, to: u64) {
    source.store(to, Ordering::SeqCst);
}

/// With no runtime around: the caches of this program need none.
fn connect(url: &str) -> Cache {
    build(Cache::builder().url(url))
}

fn build(builder: Builder) -> Cache {
    block_on(builder.prefix("shop").build()).expect("a cache")
}

fn caller<T: Send + 'static>(world: &Arc<World>, call: fn(&World) -> T) -> Caller<T> {
    let world = Arc::clone(world);
    Caller::start(move || call(&world))
}

/// Two caches of one server, each with its bodies.
struct Fleet {
    server: Server,
    monitor: Monitor,
    one: Arc<World>,
    two: Arc<World>,
}

impl Fleet {
    fn start() -> Self {
        let server = Server::start();
        let world = || World::on(connect(&server.url()));
        let (one, two) = (world(), world());
        let monitor = server.monitor();
        Self {
            server,
            monitor,
            one,
            two,
        }
    }

    /// Waits until this many connections have bid for a lease.
    fn await_bidders(&self, count: usize) {
        eventually("the bids", || {
            let mut bidders: Vec<_> = self.monitor.commands();
            bidders.retain(|seen| {
                // Two keys, of which the second is a lease, and six arguments.
                seen.words[0] == "EVALSHA"
                    && seen.words.len() == 11
                    && seen.words[2] == "2"
                    && seen.words[4].contains(":afresh:1:l:")
            });
            bidders.sort_by(|a, b| a.from.cmp(&b.from));
            bidders.dedup_by(|a, b| a.from == b.from);
            bidders.len() >= count
        });
    }

    fn leases(&self) -> String {
        self.server.cli(&["KEYS", "*:afresh:1:l:*"])
    }
}

#[test]
fn everywhere_it_is_a_hit_in_the_server() {
    let server = Server::start();
    for (number, (context, run)) in CONTEXTS.into_iter().enumerate() {
        let id = number as u64;
        let world = || World::on(connect(&server.url()));
        let (one, two) = (world(), world());
        one.gate.open(1);
        let inside = Arc::clone(&one);
        run(Box::new(move || assert_eq!(book(&inside, id), id * 10 + 1)));
        let inside = Arc::clone(&two);
        run(Box::new(move || assert_eq!(book(&inside, id), id * 10 + 1)));
        let (one, two) = (one.cache.stats(), two.cache.stats());
        assert_eq!((one.computed, one.stored), (1, 1), "{context}");
        assert_eq!((two.computed, two.hits_shared), (0, 1), "{context}");
        assert_eq!((one.store_errors, two.store_errors), (0, 0), "{context}");
    }
}

/// The cache is made on a runtime whose only thread the call then blocks.
#[tokio::test]
async fn the_only_thread_of_a_runtime_may_call() {
    let server = Server::start();
    let source = AtomicU64::new(7);
    let connect = || Cache::builder().url(server.url()).prefix("shop").build();
    let one = connect().await.expect("a cache");
    let two = connect().await.expect("a cache");
    assert_eq!(read(&one, &source), 7);
    assert_eq!(read(&two, &source), 7);
    change(&one, &source, 8);
    assert_eq!(read(&one, &source), 8);
    eventually("the other's note", || read(&two, &source) == 8);
    let (one, two) = (one.stats(), two.stats());
    assert_eq!((one.store_errors, two.store_errors), (0, 0));
    assert_eq!((one.computed, one.owed), (2, 0));
    assert!(two.hits_shared >= 1 && two.computed == 0, "{two}");
}

/// A task's budget, which is renewed only when it lets others run, does not run out.
#[test]
fn a_task_makes_a_thousand_calls_in_one_poll() {
    const CALLS: u64 = 1_000;
    let server = Server::start();
    let cache = build(Cache::builder().url(server.url()).local(false));
    let inside = cache.clone();
    let calls = Caller::start(move || {
        let workers = workers();
        let task = workers.spawn(async move {
            let source = AtomicU64::new(7);
            assert!((0..=CALLS).all(|_| read(&inside, &source) == 7));
        });
        workers.block_on(task).expect("no panic");
    });
    calls.value();
    let stats = cache.stats();
    assert_eq!((stats.computed, stats.hits_shared), (1, CALLS));
    assert_eq!(stats.store_errors, 0);
}

#[test]
fn a_compute_is_shared_with_another_cache() {
    let fleet = Fleet::start();
    let call = |world| caller(world, |world| book(world, 1));
    let leader = call(&fleet.one);
    fleet.one.await_runs(1);
    let followers: Vec<_> = (0..3).map(|_| call(&fleet.two)).collect();
    fleet.await_bidders(2);
    await_waiting(&followers);
    fleet.one.gate.open(1);
    assert_eq!(leader.value(), 11);
    for follower in followers {
        assert_eq!(follower.value(), 11);
    }
    assert_eq!((fleet.one.runs(), fleet.two.runs()), (1, 0));
    let stats = fleet.two.cache.stats();
    assert_eq!((stats.coalesced, stats.store_errors), (3, 0));
}

#[test]
fn a_body_that_panics_frees_its_lease() {
    #[cached(ttl = 1800, key = (), singleflight(lease = "1h", wait = "1h"), cache = world.cache)]
    fn fragile(world: &World, fails: bool) -> usize {
        let run = world.body();
        assert!(!fails, "run {run}");
        run + 70
    }

    let fleet = Fleet::start();
    let leader = caller(&fleet.one, |world| fragile(world, true));
    fleet.one.await_runs(1);
    assert_ne!(fleet.leases(), "");
    let follower = caller(&fleet.two, |world| fragile(world, false));
    fleet.await_bidders(2);
    assert_eq!(fleet.two.runs(), 0);
    fleet.one.gate.open(1);
    assert!(leader.outcome().is_err(), "its own panic");
    fleet.two.await_runs(1);
    fleet.two.gate.open(1);
    assert_eq!(follower.value(), 71);
    eventually("no lease", || fleet.leases().is_empty());
}

#[test]
fn a_body_that_fails_tells_those_who_wait_elsewhere() {
    #[cached(ttl = 1800, key = (), singleflight(lease = "1h", wait = "1h"), cache = world.cache)]
    fn fails(world: &World) -> Result<u32, Told> {
        Err(Told(format!("run {}", world.body())))
    }

    let fleet = Fleet::start();
    let leader = caller(&fleet.one, fails);
    fleet.one.await_runs(1);
    let follower = caller(&fleet.two, fails);
    fleet.await_bidders(2);
    fleet.one.gate.open(1);
    assert_eq!(leader.value().expect_err("it fails").0, "run 1");
    let told = follower.value().expect_err("it fails").0;
    assert!(
        told.starts_with("LeaderFailed") && told.contains("run 1"),
        "{told}"
    );
    assert_eq!(fleet.two.runs(), 0);
}

/// An error that can tell of the cache's own.
#[derive(Debug, PartialEq)]
struct Told(String);

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<afresh::Error> for Told {
    fn from(error: afresh::Error) -> Self {
        Self(format!("{:?}: {error}", error.kind()))
    }
}

/// In each context: what holds the thread must not hold up the renewals.
#[test]
fn a_body_longer_than_its_lease_keeps_it() {
    for (number, (context, run)) in CONTEXTS.into_iter().enumerate() {
        let fleet = Fleet::start();
        let id = number as u64;
        let inside = Arc::clone(&fleet.one);
        let leader = Caller::start(move || {
            run(Box::new(move || assert_eq!(long(&inside, id), id * 10 + 1)));
        });
        fleet.one.await_runs(1);
        let inside = Arc::clone(&fleet.two);
        let follower = Caller::start(move || long(&inside, id));
        let renewals = || fleet.server.commandstats().get("pexpire").copied();
        eventually("two leases' time of renewals", || {
            renewals() >= Some(6) || fleet.two.runs() > 0
        });
        let left: i64 = fleet
            .server
            .cli(&["PTTL", &fleet.leases()])
            .parse()
            .expect("a number");
        assert!((1..=300).contains(&left), "{context}: {left} ms left");
        fleet.one.gate.open(1);
        leader.value();
        assert_eq!(follower.value(), id * 10 + 1, "{context}");
        assert_eq!((fleet.one.runs(), fleet.two.runs()), (1, 0), "{context}");
        assert_eq!(fleet.one.cache.stats().refused, 0, "{context}");
    }
}

/// Nobody is left to renew once the body has ended.
#[test]
fn renewals_end_with_the_body() {
    let fleet = Fleet::start();
    let count = |command| fleet.server.commandstats().get(command).copied();
    let leader = caller(&fleet.one, |world| long(world, 1));
    eventually("a renewal", || count("pexpire").is_some());
    fleet.one.gate.open(1);
    assert_eq!(leader.value(), 11);
    fleet.server.reset_stats();
    // One each second: the time of several renewals.
    eventually("two heartbeats of each cache", || count("time") >= Some(4));
    // Heartbeats call no script; a renewal is one, whatever comes of it.
    assert_eq!(count("evalsha"), None);
}

#[test]
fn without_a_server_it_computes() {
    for (context, run) in CONTEXTS {
        let server = Server::start();
        let world = World::on(connect(&server.url()));
        world.gate.open(20);
        server.stop(Stop::Kill);
        let inside = Arc::clone(&world);
        let calls = Caller::start(move || {
            run(Box::new(move || {
                for id in 0..20 {
                    assert_eq!(book(&inside, id), id * 10 + id + 1);
                }
            }));
        });
        calls.value();
        assert_eq!(world.runs(), 20, "{context}");
    }
}

#[test]
fn a_silent_server_holds_a_call_no_longer_than_its_timeouts() {
    const TIMEOUT: Duration = Duration::from_millis(200);
    // Look-up, bid and fill each wait for one, as long as the connection counts as one at all; the
    // rest is the machine's.
    const LIMIT: Duration = Duration::from_secs(5);
    for (context, run) in CONTEXTS {
        let server = Server::start();
        let gate = ReplyGate::before(&server);
        let world = World::on(build(Cache::builder().url(gate.url()).op_timeout(TIMEOUT)));
        world.gate.open(11);
        assert_eq!(book(&world, 0), 1);
        gate.hold();
        let inside = Arc::clone(&world);
        let calls = Caller::start(move || {
            run(Box::new(move || {
                for id in 1..=10 {
                    let began = Instant::now();
                    assert_eq!(book(&inside, id), id * 10 + id + 1);
                    let took = began.elapsed();
                    assert!(took < LIMIT, "{context}: {took:?}");
                }
            }));
        });
        calls.value();
        assert!(world.cache.stats().store_errors > 0, "{context}");
    }
}

/// What was acknowledged is seen by whoever asks afterwards, whichever way it asks.
#[test]
fn strict_reads_see_what_other_caches_have_changed() {
    let server = Server::start();
    let builder = || Cache::builder().url(server.url());
    let strict = || build(builder().consistency(Consistency::Strict));
    let caches = [strict(), strict(), strict()];
    let source = AtomicU64::new(0);
    for round in 1..=50 {
        let writer = &caches[round as usize % 3];
        change(writer, &source, round);
        for cache in &caches {
            assert_eq!(read(cache, &source), round);
            assert_eq!(read(cache, &source), round);
        }
    }
    let computed: u64 = caches.iter().map(|cache| cache.stats().computed).sum();
    assert_eq!(computed, 50, "one for each change");
    for cache in &caches {
        let stats = cache.stats();
        assert_eq!((stats.store_errors, stats.owed), (0, 0), "{stats}");
    }
}

#[test]
fn a_mutation_without_a_server_succeeds_and_its_debt_is_paid() {
    for (context, run) in CONTEXTS {
        let server = Server::start();
        let cache = connect(&server.url());
        let source = Arc::new(AtomicU64::new(1));
        assert_eq!(read(&cache, &source), 1);
        server.stop(Stop::Kill);
        let inside = (cache.clone(), Arc::clone(&source));
        let changes = Caller::start(move || {
            run(Box::new(move || {
                change(&inside.0, &inside.1, 2);
                assert_eq!(read(&inside.0, &inside.1), 2, "not what was stored before");
            }));
        });
        changes.value();
        assert_eq!(cache.stats().owed, 1, "{context}");
        server.restart();
        eventually("the landing", || cache.stats().owed == 0);
        assert_eq!(read(&cache, &source), 2);
    }
}

#[invalidates(tags = ["books"], crash_safe(deadline = "1s"), cache = world.cache)]
fn rename(world: &World) -> usize {
    world.body()
}

#[invalidates(tags = ["books"], crash_safe(required), cache = world.cache)]
fn rename_guarded(world: &World) -> Result<usize, Told> {
    Ok(world.run())
}

#[test]
fn a_mark_stands_for_as_long_as_a_body_runs() {
    let fleet = Fleet::start();
    fleet.two.gate.open(5);
    assert_eq!(book(&fleet.two, 1), 11);
    let mutation = caller(&fleet.one, rename);
    fleet.one.await_runs(1);
    eventually("the mark", || fleet.two.cache.stats().marks == 1);
    assert_eq!(book(&fleet.two, 1), 12, "not served");
    assert_eq!(book(&fleet.two, 1), 13, "nor stored");
    // It is renewed, though the thread that placed it is held by the body.
    let marks = || fleet.server.commandstats().get("hset").copied();
    let placed = marks();
    eventually("three renewals", || {
        marks() >= placed.map(|placed| placed + 3)
    });
    assert_eq!(fleet.two.cache.stats().marks, 1);
    fleet.one.gate.open(1);
    assert_eq!(mutation.value(), 1);
    eventually("no mark", || fleet.two.cache.stats().marks == 0);
    assert_eq!(book(&fleet.two, 1), 14);
    assert_eq!(book(&fleet.two, 1), 14, "stored");
}

#[test]
fn a_mark_that_is_required_and_cannot_be_placed_keeps_the_body_from_running() {
    let server = Server::start();
    let world = World::on(connect(&server.url()));
    assert_eq!(rename_guarded(&world), Ok(1));
    server.stop(Stop::Kill);
    let refused = caller(&world, rename_guarded).value();
    let refused = refused.expect_err("no mark").0;
    assert!(refused.contains("could not be guarded"), "{refused}");
    assert_eq!(world.runs(), 1);
}

#[test]
fn a_handle_reaches_all_caches() {
    let fleet = Fleet::start();
    entry_sync(|| book(&fleet.one, 1))
        .put(70)
        .expect("nothing moved");
    assert_eq!(book(&fleet.two, 1), 70);
    assert_eq!(
        entry_sync(|| book(&fleet.two, 1)).peek().expect("cached"),
        Some(70)
    );
    let older = entry_sync(|| book(&fleet.two, 1));
    entry_sync(|| book(&fleet.one, 1))
        .invalidate()
        .expect("acknowledged");
    eventually("the note", || {
        entry_sync(|| book(&fleet.two, 1))
            .peek()
            .expect("cached")
            .is_none()
    });
    let refused = older.put(71).expect_err("older than the invalidation");
    assert_eq!(refused.kind(), ErrorKind::Refused);
    fleet.one.gate.open(1);
    assert_eq!(entry_sync(|| book(&fleet.one, 1)).refresh(), 11);
    assert_eq!(book(&fleet.two, 1), 11);
    assert_eq!((fleet.one.runs(), fleet.two.runs()), (1, 0));
}

/// Counts the run in the server, then waits there for its own word to go on.
#[cached(ttl = 1800, key = (), singleflight(lease = "1h", wait = "1h"), cache = cache)]
fn elsewhere(cache: &Cache, port: u16) -> String {
    let mut client = Client::connect(port).expect("the server");
    let run = client.command(&["INCR", "runs"]).expect("a count").int();
    let word = client.command(&["BLPOP", &format!("go:{run}"), "30"]);
    format!("run {run} {}", word.expect("a word").list()[1])
}

/// A process that makes as many calls at once as it is told.
#[test]
fn member() {
    let Some(steer) = Steer::take() else { return };
    let port: u16 = env::var("PORT").expect("a port").parse().expect("a port");
    let cache = connect(&format!("redis://127.0.0.1:{port}/"));
    while let Some(order) = steer.hear() {
        let callers: usize = order.parse().expect("a count");
        let start = |_| {
            let cache = cache.clone();
            Caller::start(move || elsewhere(&cache, port))
        };
        let callers: Vec<_> = (0..callers).map(start).collect();
        let mut values: Vec<_> = callers.into_iter().map(Caller::value).collect();
        values.dedup();
        let stats = cache.stats();
        steer.say(format!("{}; {}", values.join(", "), stats.store_errors));
    }
}

#[test]
fn threads_of_two_processes_run_one_body() {
    let server = Server::start();
    let port = server.port().to_string();
    let member = || Worker::spawn_with("member", &[("PORT", &port)]);
    let (mut one, mut two) = (member(), member());
    let runs = || server.cli(&["GET", "runs"]);
    one.say("10");
    eventually("the run", || runs() == "1");
    two.say("10");
    server.cli(&["RPUSH", "go:1", "ok"]);
    one.expect("run 1 ok; 0");
    two.expect("run 1 ok; 0");
    assert_eq!(runs(), "1");
}
