//! The whole path in one process, with no server and no set-up: calls hit, miss and are
//! invalidated, at any moment of a compute. What else becomes of flights is in `flight.rs`.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use afresh::{Cache, Outcome, Tier, cached, entry, invalidates, outcome, testing};
use futures_util::FutureExt;
use tokio::sync::Semaphore;

static RUNS: AtomicUsize = AtomicUsize::new(0);

#[cached(ttl = 1800, key = "book:{id}", tags = ["books", "book:{id}"], singleflight)]
async fn book(id: i64) -> Result<String, String> {
    RUNS.fetch_add(1, Ordering::SeqCst);
    tokio::task::yield_now().await;
    if id < 0 {
        Err("no such book".to_owned())
    } else {
        Ok(format!("book {id}"))
    }
}

#[invalidates(tags = ["book:{id}"])]
async fn rename(id: i64) -> Result<(), String> {
    if id < 0 {
        Err("no such book".to_owned())
    } else {
        Ok(())
    }
}

#[tokio::test]
async fn a_call_is_computed_then_a_hit_then_invalidated() {
    testing::with_cache(Cache::in_memory(), async {
        assert_eq!(
            outcome(book(1)).await,
            (Ok("book 1".into()), Outcome::Computed)
        );
        assert_eq!(
            outcome(book(1)).await,
            (Ok("book 1".into()), Outcome::Hit(Tier::Local))
        );
        assert_eq!(outcome(book(2)).await.1, Outcome::Computed);
        rename(1).await.expect("it is there");
        assert_eq!(outcome(book(1)).await.1, Outcome::Computed);
        assert_eq!(outcome(book(2)).await.1, Outcome::Hit(Tier::Local));
        rename(-1).await.expect_err("it is not there");
        assert_eq!(outcome(book(1)).await.1, Outcome::Hit(Tier::Local));
    })
    .await;
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A cache, a count of bodies, a gate that each must pass to end, and what happens meanwhile.
struct World {
    cache: Cache,
    runs: AtomicUsize,
    gate: Semaphore,
    /// Run while a plan is evaluated: the flight is there, its head has not been noted.
    on_plan: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// Awaited inside the body.
    inside: Mutex<Option<Task>>,
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            cache: Cache::in_memory(),
            runs: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            on_plan: Mutex::default(),
            inside: Mutex::default(),
        })
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    async fn body(&self) -> usize {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        let inside = self.inside.lock().expect("no panic").take();
        if let Some(inside) = inside {
            inside.await;
        }
        self.gate.acquire().await.expect("never closed").forget();
        run
    }

    fn planned(&self) -> Duration {
        let on_plan = self.on_plan.lock().expect("no panic").take();
        if let Some(on_plan) = on_plan {
            on_plan();
        }
        Duration::from_mins(1)
    }

    fn let_through(&self, bodies: usize) {
        self.gate.add_permits(bodies);
    }

    async fn invalidate(&self, tag: &str) {
        self.cache.invalidate([tag]).await.expect("in memory");
    }
}

#[cached(ttl = world.planned(), key = "{id}", tags = ["all", "t:{id}"], namespace = "flown", singleflight, cache = world.cache)]
async fn flown(world: Arc<World>, id: usize) -> usize {
    world.body().await
}

#[cached(ttl = 60, key = "{id}", tags = ["all", "t:{id}"], namespace = "plain", cache = world.cache)]
async fn plain(world: Arc<World>, id: usize) -> usize {
    world.body().await
}

/// Polls once; says whether it waits.
fn waits<F: Future + Unpin>(call: &mut F) -> bool {
    call.now_or_never().is_none()
}

async fn soon<F: Future>(call: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), call)
        .await
        .expect("it hangs")
}

/// Every way to invalidate the entry of `flown(world, 1)` or `plain(world, 1)`.
#[derive(Clone, Copy, Debug)]
enum By {
    Tag,
    Key,
    Namespace,
    All,
}

const EVERY_WAY: [By; 4] = [By::Tag, By::Key, By::Namespace, By::All];

async fn invalidate(world: &Arc<World>, by: By) {
    let cache = &world.cache;
    let done = match by {
        By::Tag => cache.invalidate(["t:1"]).await,
        By::Key => match entry(flown(world.clone(), 1)).invalidate().await {
            Ok(()) => entry(plain(world.clone(), 1)).invalidate().await,
            failed => failed,
        },
        By::Namespace => match cache.invalidate_namespace("flown").await {
            Ok(()) => cache.invalidate_namespace("plain").await,
            failed => failed,
        },
        By::All => cache.invalidate_all().await,
    };
    done.expect("in memory");
}

/// Runs a scenario with and without flights, for each way to invalidate.
macro_rules! for_all {
    (|$world:ident, $call:ident, $by:ident| $scenario:block) => {
        for $by in EVERY_WAY {
            {
                let $world = World::new();
                let $call = |id| Box::pin(outcome(flown($world.clone(), id)));
                $scenario
            }
            {
                let $world = World::new();
                let $call = |id| Box::pin(outcome(plain($world.clone(), id)));
                $scenario
            }
        }
    };
}

fn is<T: PartialEq + Debug>(got: (T, Outcome), value: T, outcome: Outcome, by: By) {
    assert_eq!(got, (value, outcome), "invalidated by {by:?}");
}

#[tokio::test]
async fn an_entry_is_invalidated_and_no_other() {
    for_all!(|world, call, by| {
        world.let_through(9);
        soon(call(1)).await;
        soon(call(2)).await;
        invalidate(&world, by).await;
        is(soon(call(1)).await, 3, Outcome::Computed, by);
        if matches!(by, By::Tag | By::Key) {
            is(soon(call(2)).await, 2, Outcome::Hit(Tier::Local), by);
        }
    });
}

#[tokio::test]
async fn an_invalidation_during_a_compute_spares_its_caller_and_nobody_after() {
    for_all!(|world, call, by| {
        let mut first = call(1);
        assert!(waits(&mut first));
        invalidate(&world, by).await;
        world.let_through(9);
        is(soon(first).await, 1, Outcome::Computed, by);
        is(soon(call(1)).await, 2, Outcome::Computed, by);
        is(soon(call(1)).await, 2, Outcome::Hit(Tier::Local), by);
    });
}

#[tokio::test]
async fn an_invalidation_inside_a_compute_spares_its_caller_and_nobody_after() {
    for_all!(|world, call, by| {
        let inside = {
            let world = world.clone();
            async move { invalidate(&world, by).await }
        };
        *world.inside.lock().expect("no panic") = Some(Box::pin(inside));
        world.let_through(9);
        is(soon(call(1)).await, 1, Outcome::Computed, by);
        is(soon(call(1)).await, 2, Outcome::Computed, by);
    });
}

/// Who starts after an invalidation never gets the older flight's value, whichever ends first.
#[tokio::test]
async fn a_late_caller_does_not_join_an_older_flight() {
    for old_first in [true, false] {
        for_all!(|world, call, by| {
            let mut old = call(1);
            assert!(waits(&mut old));
            invalidate(&world, by).await;
            let mut late = call(1);
            assert!(waits(&mut late));
            assert_eq!(world.runs(), 2, "its own compute: {by:?}");
            // The gate lets them through in the order in which they came to it.
            if old_first {
                world.let_through(1);
                is(soon(&mut old).await, 1, Outcome::Computed, by);
                world.let_through(1);
                is(soon(&mut late).await, 2, Outcome::Computed, by);
            } else {
                world.let_through(2);
                is(soon(&mut late).await, 2, Outcome::Computed, by);
                is(soon(&mut old).await, 1, Outcome::Computed, by);
            }
            is(soon(call(1)).await, 2, Outcome::Hit(Tier::Local), by);
        });
    }
}

#[tokio::test]
async fn who_waited_already_gets_the_value_and_who_comes_later_does_not() {
    for by in EVERY_WAY {
        let world = World::new();
        let call = |id| Box::pin(outcome(flown(world.clone(), id)));
        let (mut leader, mut follower) = (call(1), call(1));
        assert!(waits(&mut leader) && waits(&mut follower));
        invalidate(&world, by).await;
        let (mut late, mut later) = (call(1), call(1));
        assert!(waits(&mut late) && waits(&mut later));
        // A second invalidation, after the joining, changes nothing for those who wait.
        invalidate(&world, by).await;
        let mut last = call(1);
        assert!(waits(&mut last));
        assert_eq!(world.runs(), 3);
        world.let_through(3);
        is(soon(leader).await, 1, Outcome::Computed, by);
        is(soon(follower).await, 1, Outcome::Coalesced, by);
        is(soon(late).await, 2, Outcome::Computed, by);
        is(soon(later).await, 2, Outcome::Coalesced, by);
        is(soon(last).await, 3, Outcome::Computed, by);
        is(soon(call(1)).await, 3, Outcome::Hit(Tier::Local), by);
    }
}

/// Joining before the flight has noted its head: what it brings is newer than the joining.
#[tokio::test]
async fn who_joins_before_the_head_is_noted_gets_a_value_no_older_than_its_call() {
    for by in EVERY_WAY {
        let world = World::new();
        let early = Arc::new(Mutex::new(None));
        let on_plan = {
            let (world, early) = (world.clone(), early.clone());
            move || {
                let done = invalidate(&world, by).now_or_never();
                done.expect("in memory, nothing waits");
                let mut call = Box::pin(outcome(flown(world.clone(), 1)));
                assert!(waits(&mut call));
                assert_eq!(world.runs(), 0, "it joined");
                *early.lock().expect("no panic") = Some(call);
                // Another one, after the joining and before the head.
                let done = invalidate(&world, by).now_or_never();
                done.expect("in memory, nothing waits");
            }
        };
        *world.on_plan.lock().expect("no panic") = Some(Box::new(on_plan));
        let mut leader = Box::pin(outcome(flown(world.clone(), 1)));
        assert!(waits(&mut leader));
        let early = early.lock().expect("no panic").take().expect("planned");
        // One more, during the compute.
        invalidate(&world, by).await;
        let mut late = Box::pin(outcome(flown(world.clone(), 1)));
        assert!(waits(&mut late));
        world.let_through(2);
        is(soon(leader).await, 1, Outcome::Computed, by);
        is(soon(early).await, 1, Outcome::Coalesced, by);
        is(soon(late).await, 2, Outcome::Computed, by);
        assert_eq!(world.runs(), 2);
    }
}

#[tokio::test]
async fn an_heir_notes_the_head_anew() {
    let world = World::new();
    let call = || Box::pin(outcome(flown(world.clone(), 1)));
    let (mut leader, mut follower) = (call(), call());
    assert!(waits(&mut leader) && waits(&mut follower));
    world.invalidate("t:1").await;
    drop(leader);
    assert!(waits(&mut follower), "it computes now");
    world.let_through(9);
    assert_eq!(soon(follower).await, (2, Outcome::Computed));
    assert_eq!(soon(call()).await, (2, Outcome::Hit(Tier::Local)));
}

#[tokio::test]
async fn nothing_is_invalidated_by_no_tags_or_by_unknown_ones() {
    let world = World::new();
    world.let_through(1);
    soon(plain(world.clone(), 1)).await;
    let none: [&str; 0] = [];
    world.cache.invalidate(none).await.expect("nothing to do");
    world.invalidate("t:2").await;
    world.invalidate("T:1").await;
    world.invalidate("t:1 ").await;
    world.cache.invalidate_namespace("plai").await.expect("ok");
    let hit = soon(outcome(plain(world.clone(), 1))).await;
    assert_eq!(hit, (1, Outcome::Hit(Tier::Local)));
}

#[tokio::test]
async fn any_one_of_several_tags_is_enough() {
    #[cached(ttl = 60, key = "foo", tags = ["t1", "t2", "t3"])]
    async fn foo() {}
    #[cached(ttl = 60, key = "bar", tags = ["t1", "t2"])]
    async fn bar() {}
    #[cached(ttl = 60, key = "baz", tags = ["t1", "t3"])]
    async fn baz() {}
    #[cached(ttl = 60, key = "bare")]
    async fn bare() {}

    for (tags, left) in [
        (&["t3"][..], [false, true, false, true]),
        (&["t1"][..], [false, false, false, true]),
        (&["t2", "t3"][..], [false, false, false, true]),
        (&[][..], [true, true, true, true]),
        (&["t4"][..], [true, true, true, true]),
    ] {
        let cache = Cache::in_memory();
        testing::with_cache(cache.clone(), async {
            tokio::join!(foo(), bar(), baz(), bare());
            cache.invalidate(tags.iter().copied()).await.expect("ok");
            let peeked = [
                entry(foo()).peek().await,
                entry(bar()).peek().await,
                entry(baz()).peek().await,
                entry(bare()).peek().await,
            ];
            let is_left = peeked.map(|peeked| peeked.expect("cached").is_some());
            assert_eq!(is_left, left, "{tags:?}");
            let records = u64::from(!tags.is_empty());
            assert_eq!(cache.stats().invalidations, records, "{tags:?}");
        })
        .await;
    }
}

/// An entry goes by the tags of its last compute, not by those of earlier ones.
#[tokio::test]
async fn tags_that_an_entry_no_longer_has_do_not_invalidate_it() {
    #[cached(ttl = 60, key = (), tags = tags.lock().expect("no panic").clone(), cache = cache)]
    async fn tagged(cache: &Cache, tags: &Mutex<Vec<&'static str>>) {}

    let (cache, tags) = (Cache::in_memory(), Mutex::new(vec!["a", "b"]));
    let call = || outcome(tagged(&cache, &tags));
    let invalidate = async |tag| cache.invalidate([tag]).await.expect("in memory");
    for (now, by, of_before) in [(vec!["b", "c"], "a", "a"), (vec!["d"], "c", "b")] {
        assert_eq!(call().await.1, Outcome::Computed);
        *tags.lock().expect("no panic") = now;
        invalidate(by).await;
        assert_eq!(call().await.1, Outcome::Computed);
        invalidate(of_before).await;
        assert_eq!(call().await.1, Outcome::Hit(Tier::Local));
        cache.invalidate_all().await.expect("in memory");
    }
}

/// Bodies, hits, invalidations at random on real threads: whoever reads after an acknowledged
/// write sees it. It proves nothing by passing; it is what found a fault would be seen in.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_reader_is_older_than_an_acknowledged_write() {
    #[cached(ttl = 60, key = "{id}", tags = ["n:{id}"], singleflight, cache = cache)]
    async fn read(cache: Cache, truth: Arc<[AtomicUsize; 2]>, id: usize) -> usize {
        let seen = truth[id].load(Ordering::SeqCst);
        tokio::task::yield_now().await;
        seen
    }

    let (cache, truth) = (Cache::in_memory(), Arc::<[AtomicUsize; 2]>::default());
    let acknowledged = Arc::<[AtomicUsize; 2]>::default();
    let mut tasks = tokio::task::JoinSet::new();
    for id in 0..2 {
        let (cache, truth, acknowledged) = (cache.clone(), truth.clone(), acknowledged.clone());
        tasks.spawn(async move {
            for _ in 0..2_000 {
                let written = truth[id].fetch_add(1, Ordering::SeqCst) + 1;
                cache.invalidate([format!("n:{id}")]).await.expect("ok");
                acknowledged[id].store(written, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        });
    }
    for reader in 0..6 {
        let (cache, truth, acknowledged) = (cache.clone(), truth.clone(), acknowledged.clone());
        tasks.spawn(async move {
            for turn in 0..5_000 {
                let id = (reader + turn) % 2;
                let least = acknowledged[id].load(Ordering::SeqCst);
                let seen = read(cache.clone(), truth.clone(), id).await;
                assert!(seen >= least, "read {seen} after {least} was acknowledged");
                if turn % 8 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    soon(async {
        while let Some(done) = tasks.join_next().await {
            done.expect("no stale read");
        }
    })
    .await;
    // It was tried: not every read computed.
    let stats = cache.stats();
    assert!(stats.hits_local + stats.coalesced > 0, "{stats}");
}
