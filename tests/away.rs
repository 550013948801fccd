//! A server that does not do what it should, each way: what a call costs meanwhile, what is said
//! of it and how often, and that hits come back by themselves. A proxy gives the answers that a
//! real server cannot be brought to give at will; a server that is loading its data is a real one.
#![cfg(feature = "redis")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use afresh::{Cache, ErrorKind, Event, Outcome, Tier, cached, outcome};
use afresh_test_support::{CommandGate, PATIENCE, Point, ReplyGate, Server, Stop, until};

const SHARED: Outcome = Outcome::Hit(Tier::Shared);

#[cached(ttl = 1800, key = "{id}", tags = ["books"], singleflight, cache = cache)]
async fn book(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

/// A cache, and what its observer was told: kind and text of each fault.
async fn connect(url: &str) -> (Cache, Told) {
    let told = Told::default();
    let tell = Told::clone(&told);
    let builder = Cache::builder().url(url).prefix("shop").local(false);
    let observer = move |event: &Event<'_>| {
        if let Event::Fault { error, .. } = event {
            let line = (error.kind(), error.to_string());
            tell.0.lock().expect("no panic in here").push(line);
        }
    };
    (
        builder.observer(observer).build().await.expect("a cache"),
        told,
    )
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<(ErrorKind, String)>>>);

impl Told {
    fn count(&self, kind: ErrorKind, text: &str) -> usize {
        let told = self.0.lock().expect("no panic in here");
        let fits = |line: &&(ErrorKind, String)| line.0 == kind && line.1.contains(text);
        told.iter().filter(fits).count()
    }
}

/// Waits until the breaker is open: then a hundred calls in a row compute, without any waiting for
/// the server, however often it is tried in the background.
async fn await_breaker(cache: &Cache, first: u64) {
    let source = AtomicU64::new(1);
    let mut id = first;
    until("calls that do not wait", async || {
        let began = Instant::now();
        for _ in 0..100 {
            id += 1;
            assert_eq!(
                outcome(book(cache, &source, id)).await,
                (1, Outcome::Computed)
            );
        }
        // One timeout alone is a quarter of a second.
        began.elapsed() < Duration::from_millis(200)
    })
    .await;
}

/// Waits until one reads what the other has stored. Returns how long it took.
async fn await_hits(one: &Cache, two: &Cache, first: u64) -> Duration {
    let source = AtomicU64::new(1);
    let mut id = first;
    until("a hit in the server", async || {
        id += 1;
        book(two, &source, id).await;
        outcome(book(one, &source, id)).await == (1, SHARED)
    })
    .await
}

/// What the server does, and what is said of it.
const ANSWERS: [(&str, ErrorKind, &str); 6] = [
    (
        "-LOADING Redis is loading the dataset in memory",
        ErrorKind::Store,
        "loading the dataset",
    ),
    (
        "-READONLY You can't write against a read only replica.",
        ErrorKind::Store,
        "read only replica",
    ),
    (
        "-MASTERDOWN Link with MASTER is down",
        ErrorKind::Store,
        "Link with MASTER",
    ),
    (
        "-CLUSTERDOWN The cluster is down",
        ErrorKind::Store,
        "cluster is down",
    ),
    (
        "-NOAUTH Authentication required.",
        ErrorKind::Config,
        "Authentication required",
    ),
    (
        "-NOPERM this user has no permissions",
        ErrorKind::Config,
        "no permissions",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_answers_with_an_error_only_costs_the_computes() {
    for (line, kind, text) in ANSWERS {
        let server = Server::start();
        let gate = ReplyGate::before(&server);
        let (one, told) = connect(&gate.url()).await;
        let (two, _) = connect(&server.url()).await;
        await_hits(&one, &two, 0).await;
        gate.answer_all_with(line);
        gate.cut();
        await_breaker(&one, 10_000).await;
        until("being told", async || told.count(kind, text) > 0).await;
        let refused = one.invalidate(["books"]).await;
        refused.expect_err("nothing is acknowledged");
        assert_eq!(one.stats().owed, 1);
        // Said once for the outage, not once for each attempt.
        let attempts = told.count(kind, text);
        assert!(attempts <= 3, "{line}: said {attempts} times");
        gate.release();
        gate.cut();
        let took = await_hits(&one, &two, 20_000).await;
        println!("{text}: a hit {took:?} after the server's return");
        until("the debt", async || one.stats().owed == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_nothing_only_costs_the_first_timeouts() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let (one, told) = connect(&gate.url()).await;
    let (two, _) = connect(&server.url()).await;
    await_hits(&one, &two, 0).await;
    gate.swallow();
    let began = Instant::now();
    await_breaker(&one, 10_000).await;
    println!("silence: the breaker was open after {:?}", began.elapsed());
    assert!(told.count(ErrorKind::Timeout, "no answer within") > 0);
    gate.release();
    gate.cut();
    let took = await_hits(&one, &two, 20_000).await;
    println!("silence: a hit {took:?} after the server's return");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_connections_is_tried_in_the_background() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let (one, _) = connect(&gate.url()).await;
    let (two, _) = connect(&server.url()).await;
    await_hits(&one, &two, 0).await;
    gate.refuse();
    gate.cut();
    await_breaker(&one, 10_000).await;
    gate.release();
    let took = await_hits(&one, &two, 20_000).await;
    println!("refusals: a hit {took:?} after the server's return");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_loading_its_data_is_waited_for_in_the_background() {
    // Half a millisecond for each key, while it answers everything with LOADING.
    let server = Arc::new(Server::start_with(&[
        "--key-load-delay",
        "500",
        "--loading-process-events-interval-bytes",
        "1024",
    ]));
    let (one, told) = connect(&server.url()).await;
    let (two, _) = connect(&server.url()).await;
    await_hits(&one, &two, 0).await;
    let filled = (0..4_000).flat_map(|key| [format!("filled:{key}"), "with".to_owned()]);
    let fill: Vec<String> = std::iter::once("MSET".to_owned()).chain(filled).collect();
    server.cli(&fill.iter().map(String::as_str).collect::<Vec<_>>());
    server.cli(&["SAVE"]);
    let restarted = tokio::task::spawn_blocking({
        let server = Arc::clone(&server);
        move || server.restart()
    });
    until("being told", async || {
        told.count(ErrorKind::Store, "loading the dataset") > 0
    })
    .await;
    await_breaker(&one, 10_000).await;
    restarted.await.expect("it has come back");
    await_hits(&one, &two, 20_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_waits_for_the_log_ends_with_the_connection() {
    let server = Server::start();
    let gate = Arc::new(CommandGate::before(&server));
    let builder = Cache::builder().url(gate.url()).prefix("shop").local(false);
    let patient = builder.op_timeout(4 * PATIENCE).build().await;
    let (one, source) = (patient.expect("a cache"), Arc::new(AtomicU64::new(1)));
    let (two, _) = connect(&server.url()).await;
    two.invalidate(["others"]).await.expect("a record");
    await_hits(&one, &two, 0).await;
    let holds = || async {
        let gate = Arc::clone(&gate);
        let held = tokio::task::spawn_blocking(move || gate.holds_before(|| false));
        held.await.expect("it holds")
    };
    // The look-up is on its way, and the note of a record comes before its answer.
    gate.arm(Some(Point::Before(1)));
    let call = tokio::spawn(async move { outcome(book(&one, &source, 10_000)).await });
    assert!(holds().await);
    server.cli(&["EXPIRE", "{shop}:afresh:1:records", "3600"]);
    // What is held next is the catch-up, which the call waits for now.
    gate.arm(Some(Point::Before(1)));
    assert!(holds().await);
    assert_eq!(gate.seen().len(), 1);
    // The connection ends behind the answer to the look-up.
    server.stop(Stop::Kill);
    let ended = tokio::time::timeout(PATIENCE, call).await;
    let ended = ended.expect("the call ends").expect("no panic");
    assert_eq!(ended, (1, Outcome::Computed));
}
