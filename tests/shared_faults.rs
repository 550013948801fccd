//! A server that is absent, stopped, halted, full, cut off, locked or a replica: calls compute and
//! end in time, nothing stale is served, invalidations land, and hits come back by themselves.
#![cfg(feature = "redis")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use afresh::{Cache, ErrorKind, Event, Outcome, Tier, cached, invalidates, outcome};
use afresh_test_support::{PATIENCE, ReplyGate, Server, Stop, eventually};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::Semaphore;

const SHARED: Outcome = Outcome::Hit(Tier::Shared);
const LOCAL: Outcome = Outcome::Hit(Tier::Local);

/// Reads its source, a number.
#[cached(ttl = 1800, key = "{id}", tags = ["books"], singleflight, cache = cache)]
async fn book(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

/// Changes it.
#[invalidates(tags = ["books"], cache = cache)]
async fn change(cache: &Cache, source: &AtomicU64, to: u64) {
    source.store(to, Ordering::SeqCst);
}

async fn connect(url: &str) -> Cache {
    let builder = Cache::builder().url(url).prefix("shop");
    builder.build().await.expect("a cache")
}

/// Runs a future from a closure that cannot await.
fn now<F: Future>(future: F) -> F::Output {
    tokio::task::block_in_place(|| Handle::current().block_on(future))
}

/// Polls a future that is dropped afterwards.
fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// How the call of a book is answered.
fn read(cache: &Cache, source: &AtomicU64, id: u64) -> (u64, Outcome) {
    now(outcome(book(cache, source, id)))
}

/// Waits until two caches share entries: the second one reads what the first one stored.
fn await_sharing(one: &Cache, two: &Cache) {
    let source = AtomicU64::new(7);
    let mut id = 1_000;
    eventually("a hit in the server", || {
        id += 1;
        assert_eq!(read(one, &source, id).0, 7);
        read(two, &source, id) == (7, SHARED)
    });
}

/// What an observer was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn observe(&self) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
        let told = Self::clone(self);
        move |event| {
            let line = match event {
                Event::Fault { error, .. } => format!("{:?}: {error}", error.kind()),
                other => format!("{other:?}"),
            };
            told.0.lock().expect("no panic in here").push(line);
        }
    }

    fn count(&self, of: &str) -> usize {
        let told = self.0.lock().expect("no panic in here");
        told.iter().filter(|line| line.starts_with(of)).count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_absent_at_first_is_used_once_it_is_there() {
    let server = Server::start();
    server.stop(Stop::Kill);
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    for run in 1..=3 {
        source.store(run, Ordering::SeqCst);
        assert_eq!(read(&one, &source, 1), (run, Outcome::Computed));
    }
    server.restart();
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_costs_no_time_and_flights_still_join() {
    #[cached(ttl = 1800, key = "{id}", singleflight, cache = cache)]
    async fn gated(cache: &Cache, runs: &AtomicU64, gate: &Semaphore, id: u64) -> u64 {
        gate.acquire().await.expect("an open gate").forget();
        runs.fetch_add(1, Ordering::SeqCst)
    }

    let server = Server::start();
    let told = Told::default();
    let builder = Cache::builder().url(server.url()).prefix("shop");
    let cache = builder.observer(told.observe()).build().await;
    let cache = cache.expect("a cache");
    server.stop(Stop::Kill);
    eventually("the loss", || told.count("Disconnected") == 1);
    let began = Instant::now();
    let source = AtomicU64::new(1);
    for id in 0..400 {
        assert_eq!(read(&cache, &source, id), (1, Outcome::Computed));
    }
    // One operation's timeout for each would be 100 s.
    assert!(began.elapsed() < Duration::from_secs(10), "{began:?}");
    let (runs, gate) = (AtomicU64::new(0), Semaphore::new(0));
    let calls = (0..20).map(|_| gated(&cache, &runs, &gate, 1));
    let open = async { gate.add_permits(20) };
    let (values, ()) = tokio::join!(futures_util::future::join_all(calls), open);
    assert_eq!(values, [0; 20]);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_without_its_data_misses_and_recovers() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    assert_eq!(read(&one, &source, 1).0, 1);
    assert_eq!(read(&two, &source, 1), (1, SHARED));
    server.restart();
    change(&one, &source, 2).await;
    assert_eq!(read(&one, &source, 1).0, 2);
    eventually("the end of the copy", || read(&two, &source, 1).0 == 2);
    await_sharing(&one, &two);
    assert_eq!(one.stats().owed, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_halted_server_bounds_each_call_and_soon_costs_nothing() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    server.pause();
    let mut id = 0;
    eventually("a call that does not wait", || {
        id += 1;
        let began = Instant::now();
        assert_eq!(read(&one, &source, id), (1, Outcome::Computed));
        // A look-up, a bid: a quarter of a second each at the most.
        assert!(began.elapsed() < Duration::from_secs(5), "{began:?}");
        began.elapsed() < Duration::from_millis(50)
    });
    server.resume();
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_killed_under_traffic_leave_nothing_stale() {
    let server = Server::start();
    let source = AtomicU64::new(0);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    for round in 1..=20 {
        let killed = server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        change(&one, &source, round).await;
        assert_eq!(read(&one, &source, 1).0, round, "{killed} killed");
        eventually("the other's note", || read(&two, &source, 1).0 == round);
    }
    eventually("the debts", || one.stats().owed == 0);
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forgotten_scripts_are_loaded_again() {
    let server = Server::start();
    let source = AtomicU64::new(0);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    for round in 1..=3 {
        server.cli(&["SCRIPT", "FLUSH"]);
        change(&one, &source, round).await;
        assert_eq!(read(&one, &source, 1).0, round);
        eventually("the other's note", || read(&two, &source, 1).0 == round);
        eventually("the debts", || one.stats().owed == 0);
        await_sharing(&one, &two);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_takes_invalidations_but_no_entries() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    assert_eq!(read(&one, &source, 1).0, 1);
    assert_eq!(read(&two, &source, 1), (1, SHARED));
    server.cli(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    one.invalidate(["books"]).await.expect("room for it");
    assert_eq!(one.stats().owed, 0);
    source.store(2, Ordering::SeqCst);
    assert_eq!(read(&one, &source, 1), (2, Outcome::Computed));
    assert!(one.stats().store_errors > 0, "{}", one.stats());
    eventually("the other's note", || read(&two, &source, 1).0 == 2);
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_never_read_from() {
    let primary = Server::start();
    let replica = Server::replica_of(&primary);
    let source = AtomicU64::new(1);
    // The log begins with the replica attached: by its identity, both servers kept it.
    let one = connect(&primary.url()).await;
    assert_eq!(read(&one, &source, 1).0, 1);
    primary.await_copy(&replica);
    let told = Told::default();
    let builder = Cache::builder().url(replica.url()).prefix("shop");
    let two = builder.observer(told.observe()).build().await;
    let two = two.expect("a cache");
    source.store(2, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(read(&two, &source, 1), (2, Outcome::Computed));
    }
    let refused = two.invalidate(["books"]).await;
    refused.expect_err("a replica takes no writes");
    assert!(told.count("Store") > 0, "the refusal is reported");
    assert_eq!(told.count("Connected"), 0);
    replica.cli(&["REPLICAOF", "NO", "ONE"]);
    eventually("the debt", || two.stats().owed == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_password_is_a_matter_of_set_up_and_told_once() {
    let server = Server::start_with(&["--requirepass", "s3cret"]);
    let told = Told::default();
    let builder = Cache::builder().url(server.url()).prefix("shop");
    let cache = builder.observer(told.observe()).build().await;
    let cache = cache.expect("a cache");
    let source = AtomicU64::new(1);
    assert_eq!(read(&cache, &source, 1), (1, Outcome::Computed));
    let mut client = server.client();
    client.command(&["AUTH", "s3cret"]).expect("an answer");
    let connections = |client: &mut afresh_test_support::Client| {
        let info = client.command(&["INFO", "stats"]).expect("an answer");
        let info = info.to_string();
        let count = info
            .lines()
            .find_map(|line| line.strip_prefix("total_connections_received:"));
        count.expect("a count").parse::<u64>().expect("a number")
    };
    let began = connections(&mut client);
    eventually("more attempts", || connections(&mut client) >= began + 3);
    assert_eq!(told.count("Config"), 1, "{:?}", told.0);
    assert!(cache.invalidate(["books"]).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalidation_that_finds_no_server_is_owed_and_lands() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let told = Told::default();
    let builder = Cache::builder().url(server.url()).prefix("shop");
    let one = builder.observer(told.observe()).build().await;
    let (one, two) = (one.expect("a cache"), connect(&server.url()).await);
    assert_eq!(read(&one, &source, 1).0, 1);
    assert_eq!(read(&two, &source, 1), (1, SHARED));
    assert_eq!(read(&one, &source, 1), (1, LOCAL));
    server.pause();
    source.store(2, Ordering::SeqCst);
    let error = one.invalidate(["books", "more"]).await.expect_err("away");
    assert!(error.is_transient(), "{error}");
    assert_eq!(one.stats().owed, 2);
    assert_eq!(told.count("Owed"), 1);
    for _ in 0..2 {
        assert_eq!(read(&one, &source, 1), (2, Outcome::Computed));
    }
    server.resume();
    eventually("the landing", || one.stats().owed == 0);
    eventually("being told", || told.count("Settled") == 1);
    eventually("the other's note", || read(&two, &source, 1).0 == 2);
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mutation_that_is_dropped_still_invalidates() {
    #[invalidates(tags = ["books"], cache = cache)]
    async fn endless(cache: &Cache) {
        std::future::pending::<()>().await;
    }

    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    assert_eq!(read(&one, &source, 1).0, 1);
    assert_eq!(read(&two, &source, 1), (1, SHARED));
    source.store(2, Ordering::SeqCst);
    {
        let mutation = std::pin::pin!(endless(&one));
        assert!(poll_once(mutation).is_pending());
    }
    assert_eq!(read(&one, &source, 1).0, 2, "here it is invalid at once");
    eventually("the other's note", || read(&two, &source, 1).0 == 2);
    eventually("the landing", || one.stats().owed == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mutation_that_is_dropped_before_its_acknowledgement_still_invalidates() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let source = AtomicU64::new(1);
    let builder = Cache::builder().url(gate.url()).prefix("shop");
    let one = builder.op_timeout(PATIENCE).build().await.expect("a cache");
    let two = connect(&server.url()).await;
    assert_eq!(read(&one, &source, 1).0, 1);
    assert_eq!(read(&two, &source, 1), (1, SHARED));
    gate.hold();
    {
        let mutation = std::pin::pin!(change(&one, &source, 2));
        assert!(poll_once(mutation).is_pending());
    }
    assert_eq!(one.stats().owed, 1);
    gate.release();
    assert_eq!(read(&one, &source, 1).0, 2);
    eventually("the other's note", || read(&two, &source, 1).0 == 2);
    eventually("the landing", || one.stats().owed == 0);
}

#[test]
fn a_cache_outlives_the_runtime_that_it_was_made_in() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let runtime = Runtime::new().expect("a runtime");
    let cache = runtime.block_on(async {
        let cache = connect(&server.url()).await;
        assert_eq!(read(&cache, &source, 1).0, 1);
        cache
    });
    drop(runtime);
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let other = connect(&server.url()).await;
        change(&cache, &source, 2).await;
        assert_eq!(cache.stats().owed, 0, "acknowledged at once");
        assert_eq!(read(&cache, &source, 1), (2, Outcome::Computed));
        assert_eq!(read(&other, &source, 1), (2, SHARED));
    });
}

#[test]
fn without_a_runtime_there_is_a_thread() {
    struct Unpark(std::thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    fn wait<F: Future>(future: F) -> F::Output {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut future = std::pin::pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            std::thread::park_timeout(PATIENCE);
        }
    }

    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (wait(connect(&server.url())), wait(connect(&server.url())));
    assert_eq!(wait(outcome(book(&one, &source, 1))).1, Outcome::Computed);
    assert_eq!(wait(outcome(book(&two, &source, 1))).1, SHARED);
    wait(change(&one, &source, 2));
    assert_eq!(wait(book(&one, &source, 1)), 2);
    eventually("the other's note", || wait(book(&two, &source, 1)) == 2);
    let error = wait(one.invalidate([""])).expect_err("an empty tag");
    assert_eq!(error.kind(), ErrorKind::Config);
}
