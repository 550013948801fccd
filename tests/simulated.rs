//! A store in this process in the place of a server: what caches share through it, what it says was
//! asked of it, and what a test can do to it. That a real server does the same is for `shared*.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use afresh::testing::{Held, ManualClock, OperationKind, Store};
use afresh::{Cache, Consistency, ErrorKind, Outcome, Tier, cached, entry, invalidates, outcome};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::sync::Semaphore;

const LOCAL: Outcome = Outcome::Hit(Tier::Local);
const SHARED: Outcome = Outcome::Hit(Tier::Shared);
const COMPUTED: Outcome = Outcome::Computed;

/// The database: each run of a body takes a number, and as long as the test wants.
struct Db {
    runs: AtomicUsize,
    go: Semaphore,
}

impl Db {
    fn open() -> Self {
        Self {
            runs: AtomicUsize::new(0),
            go: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }

    /// Bodies wait for [`go`](Self::go).
    fn shut() -> Arc<Self> {
        Arc::new(Self {
            runs: AtomicUsize::new(0),
            go: Semaphore::new(0),
        })
    }

    fn go(&self) {
        self.go.add_permits(1);
    }

    async fn run(&self) -> usize {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        self.go.acquire().await.expect("open").forget();
        run
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

#[cached(ttl = 60, key = "{id}", namespace = "books", tags = ["books"], singleflight(lease = "10s", wait = "1h"), cache = cache)]
async fn book(cache: &Cache, db: &Db, id: u32) -> usize {
    db.run().await
}

#[cached(ttl = 60, key = "{id}", namespace = "plain", tags = ["books"], cache = cache)]
async fn plain(cache: &Cache, db: &Db, id: u32) -> usize {
    db.run().await
}

#[cached(ttl = 60, key = "{id}", namespace = "failing", singleflight(lease = "10s", wait = "1h"), cache = cache)]
async fn failing(cache: &Cache, db: &Db, id: u32) -> Result<usize, Failed> {
    Err(Failed(format!("run {}", db.run().await)))
}

#[derive(Clone, Debug, PartialEq)]
struct Failed(String);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<afresh::Error> for Failed {
    fn from(error: afresh::Error) -> Self {
        Self(format!("elsewhere: {error}"))
    }
}

#[cached(ttl = 60, key = "{id}", namespace = "blocking", singleflight, cache = cache)]
fn blocking(cache: &Cache, id: u32) -> u32 {
    id
}

#[invalidates(tags = ["books"], crash_safe(deadline = "10s"), cache = cache)]
async fn write(cache: &Cache, db: &Db) -> Result<(), Failed> {
    db.run().await;
    Ok(())
}

/// What was asked since the last time.
fn asked(store: &Store) -> Vec<String> {
    let asked = store.operations();
    store.forget();
    asked.iter().map(ToString::to_string).collect()
}

async fn strict(store: &Store) -> Cache {
    let builder = store.builder().consistency(Consistency::Strict);
    builder.build().await.expect("a cache")
}

/// Starts a call in a task of its own.
fn start(cache: &Cache, db: &Arc<Db>) -> tokio::task::JoinHandle<(usize, Outcome)> {
    let (cache, db) = (cache.clone(), Arc::clone(db));
    tokio::spawn(async move { outcome(book(&cache, &db, 7)).await })
}

/// Waits until an operation of this kind has come to its gate.
async fn reached(held: &Held) {
    let waited = tokio::time::timeout(Duration::from_mins(1), held.reached());
    waited.await.expect("something is held");
}

#[tokio::test]
async fn two_caches_share_an_entry_and_say_so() {
    let (store, db) = (Store::new(), Db::open());
    let (one, two) = (store.cache(), store.cache());
    assert_eq!(outcome(book(&one, &db, 7)).await, (1, COMPUTED));
    assert_eq!(
        asked(&store),
        ["get books:7", "bid books:7", "fill books:7"]
    );
    assert_eq!(outcome(book(&one, &db, 7)).await, (1, LOCAL));
    assert_eq!(asked(&store), [""; 0]);
    assert_eq!(outcome(book(&two, &db, 7)).await, (1, SHARED));
    assert_eq!(outcome(book(&two, &db, 7)).await, (1, LOCAL));
    let [operation] = &store.operations()[..] else {
        panic!("one: {:?}", store.operations());
    };
    assert_eq!(operation.kind, OperationKind::Get);
    assert_eq!(operation.cache, 2);
    let key = entry(book(&one, &db, 7)).key().await.expect("cached");
    assert_eq!(operation.key.as_deref(), Some(key.as_str()));
    // Without a flight there is no lease.
    store.forget();
    assert_eq!(outcome(plain(&one, &db, 7)).await, (2, COMPUTED));
    assert_eq!(asked(&store), ["get plain:7", "fill plain:7"]);
}

#[tokio::test]
async fn an_invalidation_is_seen_by_all_before_it_is_acknowledged() {
    for consistency in [Consistency::Bounded, Consistency::Strict] {
        let (store, db) = (Store::new(), Db::open());
        let build = || store.builder().consistency(consistency).build();
        let one = build().await.expect("a cache");
        let two = build().await.expect("a cache");
        for cache in [&one, &two] {
            assert_eq!(book(cache, &db, 7).await, 1);
        }
        one.invalidate(["books"]).await.expect("acknowledged");
        assert_eq!(outcome(book(&two, &db, 7)).await, (2, COMPUTED));
        assert_eq!(outcome(book(&one, &db, 7)).await, (2, SHARED));
        assert_eq!(outcome(book(&one, &db, 7)).await, (2, LOCAL));
    }
}

#[tokio::test]
async fn a_record_that_is_held_back_is_seen_by_who_asks_the_store() {
    let (clock, db) = (ManualClock::new(), Db::open());
    let store = Store::with_clock(&clock);
    let (one, two, proving) = (store.cache(), store.cache(), strict(&store).await);
    for cache in [&one, &two, &proving] {
        assert_eq!(book(cache, &db, 7).await, 1);
    }
    let held = store.hold_notes();
    one.invalidate(["books"]).await.expect("acknowledged");
    reached(&held).await;
    assert_eq!(outcome(book(&two, &db, 7)).await, (1, LOCAL), "the lag");
    assert_eq!(outcome(book(&proving, &db, 7)).await, (2, COMPUTED));
    assert_eq!(outcome(book(&one, &db, 7)).await, (2, SHARED));
    // What a silent store has told is believed for two seconds.
    clock.advance(Duration::from_millis(1_999));
    assert_eq!(outcome(book(&two, &db, 7)).await, (1, LOCAL));
    clock.advance(Duration::from_millis(1));
    assert_eq!(outcome(book(&two, &db, 7)).await, (2, SHARED));

    one.invalidate(["books"]).await.expect("acknowledged");
    held.release();
    assert_eq!(outcome(book(&two, &db, 7)).await, (3, COMPUTED));
    clock.advance(Duration::from_secs(50));
    assert_eq!(outcome(book(&two, &db, 7)).await, (3, LOCAL), "trusted");
}

#[tokio::test]
async fn one_of_two_caches_computes_and_the_other_is_woken() {
    let (store, db) = (Store::new(), Db::shut());
    let (one, two) = (store.cache(), store.cache());
    let bids = store.hold(OperationKind::Bid);
    let leader = start(&one, &db);
    reached(&bids).await;
    bids.release();
    let fills = store.hold(OperationKind::Fill);
    // It comes to the fill once the body has been let go: the lease is held from before that.
    db.go();
    reached(&fills).await;
    assert_eq!(
        asked(&store),
        ["get books:7", "bid books:7", "fill books:7"]
    );

    let follower = start(&two, &db);
    while store.operations().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(asked(&store), ["get books:7", "bid books:7"]);
    fills.release();
    assert_eq!(leader.await.expect("it ends"), (1, COMPUTED));
    assert_eq!(follower.await.expect("it ends"), (1, Outcome::Coalesced));
    assert_eq!(asked(&store), ["get books:7"], "woken, not polling");
    assert_eq!(db.runs(), 1);
}

#[tokio::test]
async fn a_failure_elsewhere_is_told_to_who_waited() {
    let (store, db) = (Store::new(), Db::shut());
    let (one, two) = (store.cache(), store.cache());
    let call = |cache: &Cache| {
        let (cache, db) = (cache.clone(), Arc::clone(&db));
        tokio::spawn(async move { failing(&cache, &db, 7).await })
    };
    let leader = call(&one);
    while db.runs() == 0 {
        tokio::task::yield_now().await;
    }
    let follower = call(&two);
    while store.operations().len() < 4 {
        tokio::task::yield_now().await;
    }
    store.forget();
    db.go();
    let failed = leader.await.expect("it ends").expect_err("it fails");
    assert_eq!(failed, Failed("run 1".into()));
    let told = follower.await.expect("it ends").expect_err("it fails");
    assert!(told.0.starts_with("elsewhere: "), "{told}");
    assert!(told.0.contains("run 1"), "{told}");
    let after = ["release failing:7", "get failing:7", "bid failing:7"];
    assert_eq!(asked(&store), after);
    assert_eq!(db.runs(), 1);
}

#[tokio::test]
async fn a_store_that_fails_fails_no_call() {
    let (store, db) = (Store::new(), Db::open());
    let cache = store.cache();
    store.fail(OperationKind::Get);
    assert_eq!(outcome(book(&cache, &db, 7)).await, (1, COMPUTED));
    assert_eq!(
        asked(&store),
        ["get books:7", "bid books:7", "fill books:7"]
    );
    store.heal();
    store.fail_next(OperationKind::Fill, 1);
    assert_eq!(outcome(book(&cache, &db, 8)).await, (2, COMPUTED));
    let with_release = [
        "get books:8",
        "bid books:8",
        "fill books:8",
        "release books:8",
    ];
    assert_eq!(asked(&store), with_release);
    assert_eq!(outcome(book(&cache, &db, 8)).await, (2, LOCAL));
    store.fail_next(OperationKind::Bid, 1);
    assert_eq!(outcome(book(&cache, &db, 9)).await, (3, COMPUTED));
    assert_eq!(asked(&store)[..2], ["get books:9", "bid books:9"]);
    assert_eq!(cache.stats().store_errors, 3);
    // One call of another cache, which the failures have left nothing to wait for.
    let other = store.cache();
    assert_eq!(outcome(book(&other, &db, 8)).await, (4, COMPUTED));
}

#[tokio::test]
async fn a_lost_reply_to_a_fill_leaves_the_entry() {
    let (store, db) = (Store::new(), Db::open());
    let (one, two) = (store.cache(), store.cache());
    store.lose_reply(OperationKind::Fill, 1);
    assert_eq!(outcome(book(&one, &db, 7)).await, (1, COMPUTED));
    assert_eq!(outcome(book(&two, &db, 7)).await, (1, SHARED));
    assert_eq!(one.stats().store_errors, 1);
}

#[tokio::test]
async fn an_invalidation_that_fails_is_owed_until_it_lands() {
    let (store, db) = (Store::new(), Db::open());
    let (one, two) = (store.cache(), store.cache());
    for cache in [&one, &two] {
        assert_eq!(book(cache, &db, 7).await, 1);
    }
    store.fail(OperationKind::Append);
    let owed = one.invalidate(["books"]).await.expect_err("it fails");
    assert_eq!(owed.kind(), ErrorKind::Store);
    assert_eq!(one.stats().owed, 1);
    assert_eq!(outcome(book(&one, &db, 7)).await, (2, COMPUTED));
    assert_eq!(outcome(book(&one, &db, 7)).await, (3, COMPUTED), "not kept");
    assert_eq!(
        outcome(book(&two, &db, 7)).await,
        (1, LOCAL),
        "it cannot know"
    );
    store.heal();
    assert_eq!(one.stats().owed, 0);
    assert_eq!(one.stats().invalidations, 1);
    assert_eq!(outcome(book(&two, &db, 7)).await, (4, COMPUTED));
    assert_eq!(outcome(book(&one, &db, 7)).await, (4, SHARED));
}

#[tokio::test]
async fn a_lost_reply_to_an_append_is_owed_and_lands_again() {
    let (store, db) = (Store::new(), Db::open());
    let (one, two) = (store.cache(), store.cache());
    for cache in [&one, &two] {
        assert_eq!(book(cache, &db, 7).await, 1);
    }
    store.forget();
    store.lose_reply(OperationKind::Append, 1);
    one.invalidate(["books"]).await.expect_err("nobody answers");
    assert_eq!(asked(&store), ["append", "append"], "tried again at once");
    assert_eq!(one.stats().owed, 0);
    assert_eq!(outcome(book(&two, &db, 7)).await, (2, COMPUTED));
    assert_eq!(outcome(book(&one, &db, 7)).await, (2, SHARED));
}

#[tokio::test]
async fn what_is_owed_lands_with_the_next_operation_that_succeeds() {
    let (store, db) = (Store::new(), Db::open());
    let cache = store.cache();
    store.fail_next(OperationKind::Append, 2);
    cache.invalidate(["books"]).await.expect_err("it fails");
    assert_eq!(cache.stats().owed, 1);
    book(&cache, &db, 7).await;
    assert_eq!(cache.stats().owed, 0);
    assert_eq!(
        asked(&store)[..4],
        ["append", "append", "get books:7", "append"]
    );
    cache.shutdown().await.expect("nothing is owed");
    assert_eq!(outcome(book(&cache, &db, 8)).await.1, COMPUTED);
}

#[tokio::test]
async fn a_store_out_of_reach_is_not_asked_and_comes_back_with_what_it_had() {
    let (clock, db) = (ManualClock::new(), Db::open());
    let store = Store::with_clock(&clock);
    let (one, two) = (store.cache(), store.cache());
    assert_eq!(book(&one, &db, 7).await, 1);
    assert_eq!(book(&two, &db, 7).await, 1);
    store.disconnect();
    store.forget();
    assert_eq!(outcome(book(&one, &db, 7)).await, (1, LOCAL), "trusted yet");
    clock.advance(Duration::from_secs(2));
    assert_eq!(outcome(book(&one, &db, 7)).await, (2, COMPUTED));
    one.invalidate(["books"])
        .await
        .expect_err("nobody is there");
    let late = store.cache();
    assert_eq!(outcome(book(&late, &db, 7)).await, (3, COMPUTED));
    assert_eq!(asked(&store), [""; 0]);
    store.reconnect();
    assert_eq!(asked(&store), ["append"]);
    assert_eq!(one.stats().owed, 0);
    assert_eq!(outcome(book(&two, &db, 7)).await, (4, COMPUTED));
    assert_eq!(outcome(book(&late, &db, 7)).await, (4, SHARED));
}

/// D1 of a leader whose store is slow, on a clock that shows each wait.
#[tokio::test]
async fn a_delay_takes_as_long_as_the_clock_says() {
    let (clock, db) = (ManualClock::new(), Db::shut());
    let store = Store::with_clock(&clock);
    let cache = store.cache();
    store.delay(OperationKind::Get, Duration::from_millis(202));
    store.delay(OperationKind::Bid, Duration::from_millis(179));
    store.delay(OperationKind::Fill, Duration::from_millis(190));
    let mut call = std::pin::pin!(outcome(book(&cache, &db, 7)));
    assert_eq!(call.as_mut().now_or_never(), None);
    // Not done a millisecond before.
    let mut waits = |millis: u64| {
        clock.advance(Duration::from_millis(millis - 1));
        assert_eq!(call.as_mut().now_or_never(), None);
        clock.advance(Duration::from_millis(1));
        call.as_mut().now_or_never()
    };
    assert_eq!(waits(202), None);
    assert_eq!(waits(179), None);
    assert_eq!(asked(&store), ["get books:7", "bid books:7"]);
    db.go();
    assert_eq!(waits(1), None);
    assert_eq!(asked(&store), ["fill books:7"]);
    assert_eq!(waits(189), Some((1, COMPUTED)));
}

#[tokio::test]
async fn an_operation_that_takes_too_long_is_given_up() {
    let (clock, db) = (ManualClock::new(), Db::open());
    let store = Store::with_clock(&clock);
    let builder = store.builder().op_timeout(Duration::from_millis(100));
    let cache = builder.build().await.expect("a cache");
    store.delay(OperationKind::Get, Duration::from_secs(5));
    let mut call = Box::pin(outcome(plain(&cache, &db, 7)));
    assert!(call.as_mut().now_or_never().is_none());
    clock.advance(Duration::from_millis(99));
    assert!(call.as_mut().now_or_never().is_none());
    clock.advance(Duration::from_millis(1));
    assert_eq!(call.await, (1, COMPUTED));
    assert_eq!(cache.stats().store_errors, 1);
}

#[tokio::test]
async fn entries_and_leases_end_by_the_stores_clock() {
    let (clock, db) = (ManualClock::new(), Db::shut());
    let store = Store::with_clock(&clock);
    let (one, two) = (store.cache(), store.cache());
    // A leader that is not polled does not renew its lease, which lasts ten seconds.
    let mut leader = Box::pin(outcome(book(&one, &db, 7)));
    assert!(leader.as_mut().now_or_never().is_none());
    clock.advance(Duration::from_secs(10));
    let other = Db::open();
    other.runs.store(10, Ordering::SeqCst);
    assert_eq!(outcome(book(&two, &other, 7)).await, (11, COMPUTED));
    // Its fill comes too late.
    db.go();
    assert_eq!(leader.await, (1, COMPUTED));
    assert_eq!(one.stats().refused, 1);
    assert_eq!(outcome(book(&one, &other, 7)).await, (11, SHARED));
    clock.advance(Duration::from_mins(1) - Duration::from_millis(1));
    assert_eq!(outcome(book(&one, &other, 7)).await, (11, LOCAL));
    clock.advance(Duration::from_millis(1));
    assert_eq!(outcome(book(&one, &other, 7)).await, (12, COMPUTED));
}

#[tokio::test]
async fn a_body_that_takes_long_renews_its_lease_by_the_stores_clock() {
    let (clock, db) = (ManualClock::new(), Db::shut());
    let store = Store::with_clock(&clock);
    let cache = store.cache();
    let mut call = Box::pin(outcome(book(&cache, &db, 7)));
    for _ in 0..5 {
        assert!(call.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_secs(4));
    }
    db.go();
    assert_eq!(call.await, (1, COMPUTED));
    let renewed = asked(&store)
        .iter()
        .filter(|one| *one == "renew books:7")
        .count();
    assert_eq!(renewed, 4);
    assert_eq!(cache.stats().refused, 0, "after 20 s, with a lease of 10");
}

/// A compute that an invalidation overtakes, at the worst moment: the fill is on its way.
#[tokio::test]
async fn a_value_that_an_invalidation_overtakes_is_served_to_nobody_after() {
    let (store, db) = (Store::new(), Arc::new(Db::open()));
    let (one, two) = (store.cache(), store.cache());
    let fills = store.hold(OperationKind::Fill);
    let overtaken = start(&one, &db);
    reached(&fills).await;
    two.invalidate(["books"]).await.expect("acknowledged");
    fills.release();
    assert_eq!(overtaken.await.expect("it ends"), (1, COMPUTED));
    assert_eq!(outcome(book(&one, &db, 7)).await, (2, COMPUTED));
    assert_eq!(outcome(book(&two, &db, 7)).await, (2, SHARED));
}

#[tokio::test]
async fn callers_of_one_process_send_one_bid() {
    let (store, db) = (Store::new(), Arc::new(Db::open()));
    let cache = store.cache();
    let calls = join_all((0..20).map(|_| book(&cache, &db, 7))).await;
    assert!(calls.iter().all(|value| *value == 1));
    let bids = asked(&store);
    let bids = bids.iter().filter(|one| *one == "bid books:7");
    assert_eq!(bids.count(), 1);
}

#[tokio::test]
async fn a_mutation_that_never_ends_is_ended_after_its_cache() {
    let (clock, db) = (ManualClock::new(), Db::shut());
    let store = Store::with_clock(&clock);
    let (one, two) = (store.cache(), store.cache());
    let open = Db::open();
    assert_eq!(outcome(book(&two, &open, 7)).await, (1, COMPUTED));
    store.forget();
    let mut writing = Box::pin(write(&one, &db));
    assert!(writing.as_mut().now_or_never().is_none());
    assert_eq!(asked(&store), ["mark"]);
    assert_eq!(two.stats().marks, 1);
    assert_eq!(outcome(book(&two, &open, 7)).await, (2, COMPUTED));
    clock.advance(Duration::from_secs(30));
    assert_eq!(outcome(book(&two, &open, 7)).await, (3, COMPUTED));
    assert_eq!(two.stats().marks, 1, "its process keeps it standing");

    // As if the process had been killed: nothing runs that could end it.
    std::mem::forget(writing);
    one.shutdown().await.expect("nothing is owed");
    drop(one);
    clock.advance(Duration::from_secs(30));
    assert_eq!(outcome(book(&two, &open, 7)).await, (4, COMPUTED));
    assert_eq!(two.stats().marks, 0);
    assert_eq!(outcome(book(&two, &open, 7)).await, (4, LOCAL));
}

#[tokio::test]
async fn a_put_and_an_ask_are_told_apart() {
    let (store, db) = (Store::new(), Db::open());
    let (one, two) = (store.cache(), store.cache());
    entry(book(&one, &db, 7)).put(70).await.expect("put");
    assert_eq!(asked(&store), ["append", "fill books:7"]);
    assert_eq!(outcome(book(&two, &db, 7)).await, (70, SHARED));
    // A cache that begins now knows nothing of what was before.
    one.invalidate(["others"]).await.expect("acknowledged");
    store.forget();
    let late = store.builder().local(false).build().await.expect("shared");
    assert_eq!(outcome(book(&late, &db, 7)).await, (70, SHARED));
    assert_eq!(outcome(book(&late, &db, 7)).await, (70, SHARED));
    let asked_once = ["get books:7", "ask", "get books:7"];
    assert_eq!(asked(&store), asked_once);
}

#[tokio::test]
async fn a_put_that_an_invalidation_overtook_is_refused_by_the_store() {
    let (store, db) = (Store::new(), Db::open());
    let (one, two) = (store.cache(), store.cache());
    let notes = store.hold_notes();
    let handle = entry(book(&two, &db, 7));
    one.invalidate(["books"]).await.expect("acknowledged");
    store.forget();
    let refused = handle.put(70).await.expect_err("it may be older");
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert_eq!(asked(&store), ["append"]);
    notes.release();
    let handle = entry(book(&two, &db, 8));
    one.invalidate(["others"]).await.expect("acknowledged");
    handle.put(80).await.expect("nothing of it has moved");
    assert_eq!(outcome(book(&one, &db, 8)).await, (80, SHARED));
}

#[tokio::test]
async fn a_late_fill_yields_to_a_newer_entry() {
    let (store, db, slow) = (Store::new(), Db::open(), Db::shut());
    let (one, two, three) = (store.cache(), store.cache(), store.cache());
    slow.runs.store(10, Ordering::SeqCst);
    let mut late = Box::pin(outcome(plain(&one, &slow, 7)));
    assert!(late.as_mut().now_or_never().is_none());
    two.invalidate(["books"]).await.expect("acknowledged");
    assert_eq!(outcome(plain(&two, &db, 7)).await, (1, COMPUTED));
    slow.go();
    assert_eq!(late.await, (11, COMPUTED));
    assert_eq!(one.stats().refused, 1);
    assert_eq!(outcome(plain(&three, &db, 7)).await, (1, SHARED));
}

/// As when the client of a service disconnects while its invalidation is on its way.
#[tokio::test]
async fn an_invalidation_that_is_dropped_on_its_way_lands() {
    let (store, db) = (Store::new(), Db::open());
    let (one, two) = (store.cache(), store.cache());
    assert_eq!(book(&two, &db, 7).await, 1);
    let appends = store.hold(OperationKind::Append);
    let mut dropped = Box::pin(one.invalidate(["books"]));
    assert!(dropped.as_mut().now_or_never().is_none());
    drop(dropped);
    assert_eq!(one.stats().owed, 1);
    assert_eq!(outcome(book(&two, &db, 7)).await, (1, LOCAL), "held back");
    appends.release();
    one.shutdown().await.expect("it has landed");
    assert_eq!(outcome(book(&two, &db, 7)).await, (2, COMPUTED));
}

#[test]
fn plain_functions_share_too_and_without_a_runtime() {
    let store = Store::new();
    let (one, two) = (store.cache(), store.cache());
    store.delay(OperationKind::Get, Duration::from_millis(1));
    assert_eq!(blocking(&one, 7), 7);
    assert_eq!(blocking(&two, 7), 7);
    assert_eq!((one.stats().computed, two.stats().hits_shared), (1, 1));
    store.fail_next(OperationKind::Fill, 1);
    assert_eq!(blocking(&one, 8), 8);
    let of_one = asked(&store).split_off(4);
    let expected = ["get", "bid", "fill", "release"].map(|kind| format!("{kind} blocking:8"));
    assert_eq!(of_one, expected);
}

#[tokio::test]
async fn a_release_that_is_held_back_keeps_others_waiting_until_it_is_done() {
    let (store, db) = (Store::new(), Arc::new(Db::open()));
    let (one, two) = (store.cache(), store.cache());
    let releases = store.hold(OperationKind::Release);
    store.fail_next(OperationKind::Fill, 1);
    assert_eq!(book(&one, &db, 7).await, 1);
    reached(&releases).await;
    store.forget();
    let waiting = start(&two, &db);
    while store.operations().len() < 2 {
        tokio::task::yield_now().await;
    }
    releases.release();
    assert_eq!(waiting.await.expect("it ends"), (2, COMPUTED));
}

#[tokio::test]
async fn settings_that_do_not_fit_a_store_are_refused() {
    let store = Store::new();
    let builders = [
        ("`url`", store.builder().url("redis://localhost")),
        (
            "`Store::with_clock`",
            store.builder().clock(&ManualClock::new()),
        ),
    ];
    for (name, builder) in builders {
        let error = builder.build().await.expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(name), "{error}");
    }
    let cache = store.builder().local(false).build().await.expect("shared");
    let db = Db::open();
    assert_eq!(outcome(book(&cache, &db, 7)).await, (1, COMPUTED));
    assert_eq!(outcome(book(&cache, &db, 7)).await, (1, SHARED));
}
