//! What is at the edges of policies: computes that hang, values that are put or not to be stored,
//! stores that are slow, programs without a runtime.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use afresh::testing::{ManualClock, OperationKind, Store, assert_outcome, idle, refreshed};
use afresh::{Background, Cache, Inline, Limited, Outcome, Policy, Stats, Tier, cached, outcome};
use futures_util::FutureExt as _;

use crate::shop::{Broken, Shop};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const LOCAL: Outcome = Outcome::Hit(Tier::Local);
const SWR: Policy<Background> = Policy::new().stale_for(secs(60));
const TIMED: Policy<Background, Limited> = Policy::new()
    .stale_if_error(secs(600))
    .soft_timeout(secs(1))
    .hard_timeout(secs(5));
const HARD: Policy<Background, Limited> = Policy::new().stale_for(secs(60)).hard_timeout(secs(5));

#[cached(ttl = 60, namespace = "swr", key = "{id}", policy = SWR, cache = shop.cache)]
async fn swr(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

#[cached(ttl = 60, namespace = "timed", key = "{id}", policy = TIMED, singleflight, cache = shop.cache)]
async fn timed(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

/// Every call is one of these.
fn answered(stats: Stats) -> u64 {
    stats.hits_local
        + stats.hits_shared
        + stats.stale
        + stats.computed
        + stats.coalesced
        + stats.bypassed
        + stats.timed_out
}

/// Processes with one store and one clock.
fn processes<const N: usize>() -> (Store, [Shop; N]) {
    let store = Store::with_clock(&ManualClock::new());
    let shops = [(); N].map(|()| Shop::of(store.cache()));
    (store, shops)
}

// What is put, and what is not to be stored.

#[tokio::test]
async fn what_is_put_is_asked_what_a_value_is_asked() {
    #[cached(ttl = |_| secs(60), key = "{id}", policy = SWR, store_if = |price| *price > 0, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    let shop = Shop::new().await;
    afresh::entry(price(&shop, 1)).put(Ok(7)).await.unwrap();
    assert_eq!(assert_outcome(price(&shop, 1), LOCAL).await, Ok(7));
    assert_eq!(shop.runs(), 0);
}

#[tokio::test]
async fn what_was_put_is_due_no_earlier_than_what_was_computed() {
    const AHEAD: Policy<Background> = Policy::new().refresh_ahead(0.9);

    #[cached(ttl = 100, namespace = "ahead", key = "{id}", policy = AHEAD, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    let (_store, [one, other]) = processes();
    afresh::entry(price(&one, 1)).put(Ok(7)).await.unwrap();
    one.pass(1);
    price(&other, 1).await.unwrap();
    idle(&other.cache).await;
    one.pass(50);
    price(&one, 1).await.unwrap();
    idle(&one.cache).await;
    assert_eq!((one.runs(), other.runs()), (0, 0));
}

#[tokio::test]
async fn what_others_have_stored_is_not_due_at_once() {
    const AHEAD: Policy<Background> = Policy::new().refresh_ahead(0.9);

    #[cached(ttl = 60, namespace = "slow", key = "{id}", policy = AHEAD, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    // After a compute of 20 s, chance alone would have one key of fourteen due when it is read.
    let (_store, [one, other]) = processes();
    for id in 0..64 {
        one.hold();
        let slow = async {
            one.reached().await;
            one.pass(20);
            one.release(1);
        };
        let (answer, ()) = tokio::join!(price(&one, id), slow);
        answer.unwrap();
        for _ in 0..2 {
            price(&other, id).await.unwrap();
            idle(&other.cache).await;
        }
    }
    assert_eq!(other.runs(), 0);
}

#[tokio::test]
async fn a_value_that_is_not_to_be_stored_is_no_failure_and_leaves_the_one_that_is_there() {
    #[cached(ttl = 60, key = "{id}", policy = SWR, store_if = Option::is_some, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<Option<u32>, Broken> {
        let _ = id;
        let price = shop.compute().await?;
        Ok((price < 99).then_some(price))
    }

    let shop = Shop::new().await;
    price(&shop, 1).await.unwrap();
    shop.costs(99);
    shop.pass(61);
    for runs in 2..5 {
        assert_outcome(price(&shop, 1), Outcome::Stale)
            .await
            .unwrap();
        refreshed(price(&shop, 1)).await;
        assert_eq!(shop.runs(), runs);
        // Not again at once.
        assert_outcome(price(&shop, 1), Outcome::Stale)
            .await
            .unwrap();
        idle(&shop.cache).await;
        assert_eq!(shop.runs(), runs);
        shop.pass(1);
    }
    assert_eq!(shop.cache.stats().failed_refreshes, 0);
    shop.pass(60);
    assert_eq!(
        assert_outcome(price(&shop, 1), Outcome::Computed).await,
        Ok(None)
    );
}

#[tokio::test]
async fn what_is_past_its_ttl_is_not_there_for_a_look() {
    let shop = Shop::new().await;
    swr(&shop, 1).await.unwrap();
    shop.pass(61);
    let peek = || afresh::entry(swr(&shop, 1)).peek();
    assert_eq!(peek().await.unwrap(), None);
    shop.hold();
    swr(&shop, 1).await.unwrap();
    shop.reached().await;
    assert_eq!(peek().await.unwrap(), None);
    assert_eq!(shop.cache.stats().stale, 1);
    shop.release(1);
}

#[tokio::test]
async fn no_value_is_served_beyond_the_longest_ttl() {
    const LONG: Policy = Policy::new().stale_if_error(secs(30 * 86_400));

    #[cached(ttl = "6d", key = "{id}", policy = LONG, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    let shop = Shop::new().await;
    price(&shop, 1).await.unwrap();
    shop.breaks(true);
    shop.pass(7 * 86_400 - 1);
    assert_outcome(price(&shop, 1), Outcome::Stale)
        .await
        .unwrap();
    shop.pass(60);
    assert_eq!(price(&shop, 1).await, Err(Broken::Source));
}

// Computes that hang, panic, or are in the way.

#[tokio::test]
async fn a_compute_that_hangs_in_the_background_is_given_up() {
    #[cached(ttl = 60, key = "{id}", policy = HARD, singleflight, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32, hangs: Arc<AtomicBool>) -> Result<u32, Broken> {
        let _ = id;
        let price = shop.compute().await;
        if hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        price
    }

    let (_store, [one, other]) = processes();
    for shop in [&one, &other] {
        let hangs = Arc::new(AtomicBool::new(true));
        let clock = async {
            shop.reached().await;
            shop.pass(5);
        };
        let (answer, ()) = tokio::join!(outcome(price(shop, 1, Arc::clone(&hangs))), clock);
        assert_eq!(answer.1, Outcome::TimedOut);
        assert_eq!(shop.cache.stats().background, 1);
        hangs.store(false, Ordering::SeqCst);
        shop.pass(60);
        idle(&shop.cache).await;
        let stats = shop.cache.stats();
        assert_eq!((stats.background, stats.failed_refreshes), (0, 1));
        // Nobody is in the way, neither here nor elsewhere.
        afresh::entry(price(shop, 1, hangs.clone()))
            .invalidate()
            .await
            .unwrap();
        assert_outcome(price(shop, 1, hangs.clone()), Outcome::Computed)
            .await
            .unwrap();
        let entry = afresh::entry(price(shop, 1, hangs));
        entry.invalidate().await.unwrap();
    }
}

#[tokio::test]
async fn a_panic_where_a_failure_is_shared_is_one_failure() {
    #[derive(Debug)]
    struct Bad;

    impl Clone for Bad {
        fn clone(&self) -> Self {
            panic!("it cannot be cloned")
        }
    }

    #[cached(ttl = 60, key = "{id}", policy = SWR, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Bad> {
        let _ = id;
        shop.compute().await.map_err(|_| Bad)
    }

    let shop = Shop::new().await;
    price(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.breaks(true);
    price(&shop, 1).await.unwrap();
    idle(&shop.cache).await;
    assert_eq!(shop.cache.stats().failed_refreshes, 1);
}

/// Says when it goes.
struct Tells(&'static str, Log);

type Log = Arc<Mutex<Vec<&'static str>>>;

fn say(log: &Log, what: &'static str) {
    log.lock().expect("no panic under it").push(what);
}

impl Drop for Tells {
    fn drop(&mut self) {
        say(&self.1, self.0);
    }
}

struct Follower(Log);

impl Wake for Follower {
    fn wake(self: Arc<Self>) {
        say(&self.0, "follower woken");
    }
}

#[test]
fn what_a_body_holds_is_let_go_before_another_computes_in_its_place() {
    #[cached(ttl = 60, key = "{id}", policy = SWR, singleflight, cache = cache)]
    async fn holds(cache: &Cache, id: u32, log: Log) -> u32 {
        let _ = cache;
        let _tells = Tells("body dropped", log);
        std::future::pending::<()>().await;
        id
    }

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    let cache = Cache::in_memory();
    let log = Log::default();
    let mut leader = Box::pin(holds(&cache, 1, Arc::clone(&log)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(leader.as_mut().poll(&mut context).is_pending());
    let mut follower = Box::pin(holds(&cache, 1, Arc::clone(&log)));
    let waker = Waker::from(Arc::new(Follower(Arc::clone(&log))));
    let mut context = Context::from_waker(&waker);
    assert!(follower.as_mut().poll(&mut context).is_pending());
    drop(leader);
    assert_eq!(*log.lock().unwrap(), ["body dropped", "follower woken"]);
}

#[tokio::test]
async fn what_a_refresh_leaves_behind_does_not_keep_the_cache() {
    #[cached(ttl = 60, key = "{id}", policy = HARD)]
    async fn hangs(id: u32, held: Arc<()>) -> Result<u32, Broken> {
        std::future::pending::<()>().await;
        drop(held);
        Ok(id)
    }

    for refreshes in [false, true] {
        let clock = ManualClock::new();
        let cache = Cache::builder().clock(&clock).build().await.unwrap();
        let held = Arc::new(());
        let tick = async {
            tokio::task::yield_now().await;
            clock.advance(secs(5));
        };
        let call = async {
            if refreshes {
                let entry = afresh::entry(hangs(1, Arc::clone(&held)));
                entry.refresh().await
            } else {
                hangs(1, Arc::clone(&held)).await
            }
        };
        let call = afresh::testing::with_cache(cache.clone(), call);
        let (answer, ()) = tokio::join!(call, tick);
        assert!(answer.is_err());
        assert_eq!(cache.stats().background, 1);
        drop(cache);
        // Given up, it lets go of what it held.
        while Arc::strong_count(&held) > 1 {
            tokio::task::yield_now().await;
        }
    }
}

// Stores.

#[tokio::test]
async fn a_stale_value_is_handed_out_without_waiting_for_the_store() {
    let (store, [one]) = processes();
    swr(&one, 1).await.unwrap();
    one.pass(61);
    store.delay(OperationKind::Get, Duration::from_millis(200));
    store.delay(OperationKind::Bid, Duration::from_millis(200));
    let answer = outcome(swr(&one, 1)).now_or_never();
    assert_eq!(answer, Some((Ok(1), Outcome::Stale)));
}

#[tokio::test]
async fn a_call_that_has_its_value_waits_no_longer_than_its_timeout_for_the_store() {
    let store = Store::with_clock(&ManualClock::new());
    let builder = store.builder().op_timeout(secs(30));
    let one = Shop::of(builder.build().await.unwrap());
    store.delay(OperationKind::Fill, secs(8));
    let mut call = pin!(outcome(timed(&one, 1)));
    assert!(call.as_mut().now_or_never().is_none());
    one.pass(5);
    assert_eq!(call.await, (Ok(1), Outcome::Computed));
    // It is stored all the same.
    one.pass(3);
    idle(&one.cache).await;
    assert_outcome(timed(&one, 1), LOCAL).await.unwrap();
    assert_eq!(answered(one.cache.stats()), 2);
}

#[tokio::test]
async fn a_call_that_was_answered_is_not_counted_again() {
    let (store, [one, other]) = processes();
    timed(&one, 1).await.unwrap();
    timed(&other, 1).await.unwrap();
    one.pass(61);
    let held = store.hold(OperationKind::Bid);
    let clock = async {
        held.reached().await;
        one.pass(1);
    };
    let (answer, ()) = tokio::join!(outcome(timed(&other, 1)), clock);
    assert_eq!(answer, (Ok(1), Outcome::Stale));
    // What it waited for has come when it gets there.
    afresh::entry(timed(&one, 1)).put(Ok(9)).await.unwrap();
    held.release();
    idle(&other.cache).await;
    assert_eq!(answered(other.cache.stats()), 2);
    assert_eq!(other.runs(), 0);
}

#[tokio::test]
async fn while_a_compute_goes_on_in_the_background_the_store_is_not_asked() {
    let (store, [one]) = processes();
    timed(&one, 1).await.unwrap();
    one.pass(61);
    one.hold();
    let clock = async {
        one.reached().await;
        one.pass(1);
    };
    let (answer, ()) = tokio::join!(outcome(timed(&one, 1)), clock);
    assert_eq!(answer.1, Outcome::Stale);
    store.forget();
    for _ in 0..20 {
        assert_outcome(timed(&one, 1), Outcome::Stale)
            .await
            .unwrap();
    }
    assert!(store.operations().is_empty(), "{:?}", store.operations());
    one.release(1);
}

#[tokio::test]
async fn without_a_local_tier_not_every_call_bids() {
    let (store, [one]) = processes();
    let builder = store.builder().local(false);
    let other = Shop::of(builder.build().await.unwrap());
    swr(&one, 1).await.unwrap();
    one.pass(61);
    one.hold();
    swr(&one, 1).await.unwrap();
    one.reached().await;
    store.forget();
    for _ in 0..20 {
        assert_outcome(swr(&other, 1), Outcome::Stale)
            .await
            .unwrap();
        idle(&other.cache).await;
    }
    let operations = store.operations();
    let bids = operations
        .iter()
        .filter(|one| one.kind == OperationKind::Bid);
    assert_eq!(bids.count(), 1);
    one.release(1);
}

#[tokio::test]
async fn a_process_that_fails_takes_what_another_has_stored() {
    const POLICY: Policy<Background> = Policy::new()
        .stale_for(secs(3_600))
        .backoff(secs(600), secs(600));

    #[cached(ttl = 60, namespace = "backs off", key = "{id}", policy = POLICY, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    let (_store, [one, other]) = processes();
    price(&one, 1).await.unwrap();
    price(&other, 1).await.unwrap();
    one.pass(61);
    one.breaks(true);
    price(&one, 1).await.unwrap();
    idle(&one.cache).await;
    assert_eq!(one.runs(), 2);
    other.costs(2);
    price(&other, 1).await.unwrap();
    idle(&other.cache).await;
    one.pass(1);
    assert_eq!(price(&one, 1).await, Ok(2));
    assert_eq!(one.runs(), 2);
}

// Programs without Tokio.

/// Runs a future on this thread, with nothing around.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Thread(std::thread::Thread);

    impl Wake for Thread {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Thread(std::thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        std::thread::park();
    }
}

#[test]
fn a_body_in_the_background_may_block_its_thread() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    const QUICK: Policy<Inline, Limited> = Policy::new().hard_timeout(Duration::from_millis(50));

    #[cached(ttl = 60, key = "{id}", cache = cache)]
    fn blocking(cache: &Cache, id: u32) -> u32 {
        RUNS.fetch_add(1, Ordering::SeqCst);
        id
    }

    #[cached(ttl = 60, key = "{id}", policy = SWR, cache = cache)]
    async fn blocks(cache: &Cache, id: u32, gate: Arc<std::sync::Barrier>) -> u32 {
        blocking(cache, id);
        gate.wait();
        gate.wait();
        id
    }

    #[cached(ttl = 60, key = "{id}", policy = QUICK, cache = cache)]
    async fn hangs(cache: &Cache, id: u32) -> Result<u32, Broken> {
        let _ = cache;
        std::future::pending::<()>().await;
        Ok(id)
    }

    let cache = Cache::in_memory();
    block_on(blocks(&cache, 1, Arc::new(std::sync::Barrier::new(1))));
    afresh::testing::advance(&cache, secs(61));
    let gate = Arc::new(std::sync::Barrier::new(2));
    assert_outcome(blocks(&cache, 1, Arc::clone(&gate)), Outcome::Stale)
        .now_or_never()
        .expect("at once");
    gate.wait();
    // Its thread is blocked; what waits for a time goes on all the same.
    assert_eq!(
        block_on(hangs(&cache, 1)),
        Err(Broken::Cache(afresh::ErrorKind::Timeout))
    );
    gate.wait();
    block_on(idle(&cache));
    // A sync function in it is cached like anywhere.
    assert_eq!(RUNS.load(Ordering::SeqCst), 2);
    assert_eq!(cache.stats().bypassed, 0);
}

// What is made of what is past its ttl.

#[tokio::test]
async fn what_is_made_of_a_stale_value_goes_with_it() {
    const FAIL_SAFE: Policy = Policy::new().stale_if_error(secs(600));

    #[cached(ttl = 60, key = "{id}", tags = ["prices"], policy = SWR, cache = shop.cache)]
    async fn aging(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    #[cached(ttl = 60, key = "{id}", tags = ["prices"], policy = FAIL_SAFE, cache = shop.cache)]
    async fn failing(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    #[cached(ttl = 60, key = "{id}", cache = shop.cache)]
    async fn of_aging(shop: &Shop, id: u32) -> Result<u32, Broken> {
        aging(shop, id).await
    }

    #[cached(ttl = 60, key = "{id}", cache = shop.cache)]
    async fn of_failing(shop: &Shop, id: u32) -> Result<u32, Broken> {
        failing(shop, id).await
    }

    let shop = Shop::new().await;
    aging(&shop, 1).await.unwrap();
    failing(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.breaks(true);
    assert_outcome(of_aging(&shop, 1), Outcome::Computed)
        .await
        .unwrap();
    // The failure first, and then the one that is settled by it.
    for id in [1, 2] {
        let _ = of_failing(&shop, id).await;
    }
    assert_outcome(of_failing(&shop, 1), LOCAL).await.unwrap();
    assert!(shop.cache.stats().stale >= 2);
    idle(&shop.cache).await;
    shop.cache.invalidate(["prices"]).await.unwrap();
    assert_eq!(of_aging(&shop, 1).await, Err(Broken::Source));
    assert_eq!(of_failing(&shop, 1).await, Err(Broken::Source));
}

#[tokio::test]
async fn what_is_made_of_a_timeout_is_for_nobody_else() {
    #[cached(ttl = 60, key = "{id}", cache = shop.cache)]
    async fn or_none(shop: &Shop, id: u32) -> Option<u32> {
        timed(shop, id).await.ok()
    }

    let shop = Shop::new().await;
    shop.hold();
    let clock = async {
        shop.reached().await;
        shop.pass(5);
    };
    let (answer, ()) = tokio::join!(outcome(or_none(&shop, 1)), clock);
    assert_eq!(answer, (None, Outcome::Computed));
    shop.release(1);
    idle(&shop.cache).await;
    assert_eq!(
        assert_outcome(or_none(&shop, 1), Outcome::Computed).await,
        Some(1)
    );
}

#[tokio::test]
async fn a_body_in_the_background_has_the_default_cache_of_its_caller() {
    #[cached(ttl = 600, key = "{id}")]
    async fn inner(id: u32) -> u32 {
        id
    }

    #[cached(ttl = 60, key = "{id}", policy = SWR)]
    async fn outer(id: u32, began: Arc<AtomicU32>) -> u32 {
        inner(began.fetch_add(1, Ordering::SeqCst)).await
    }

    let cache = Cache::builder()
        .clock(&ManualClock::new())
        .build()
        .await
        .unwrap();
    let began = Arc::new(AtomicU32::new(0));
    let call = async {
        outer(1, Arc::clone(&began)).await;
        afresh::testing::advance(&cache, secs(61));
        outer(1, Arc::clone(&began)).await;
        idle(&cache).await;
        assert_eq!(assert_outcome(inner(1), LOCAL).await, 1);
    };
    afresh::testing::with_cache(cache.clone(), call).await;
}

// What others have stored, where what is here will not do.

/// A price that `other` stored 10 s past its ttl ago, in the place of one of `one`'s that has ended.
async fn newer_elsewhere<F, C>(one: &Shop, other: &Shop, call: C) -> F::Output
where
    C: Fn(Shop) -> F,
    F: Future<Output = (Result<u32, Broken>, Outcome)>,
{
    call(one.clone()).await.0.expect("a price");
    one.pass(130);
    other.costs(2);
    call(other.clone()).await.0.expect("a price");
    one.pass(70);
    one.breaks(true);
    call(one.clone()).await
}

#[tokio::test]
async fn a_newer_stale_value_of_another_process_is_served() {
    const FAIL_SAFE: Policy = Policy::new().stale_if_error(secs(60));
    const BOTH: Policy<Background> = Policy::new().stale_for(secs(60)).stale_if_error(secs(600));

    #[cached(ttl = 60, namespace = "safe", key = "{id}", policy = FAIL_SAFE, cache = shop.cache)]
    async fn failing(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    #[cached(ttl = 60, namespace = "both", key = "{id}", policy = BOTH, cache = shop.cache)]
    async fn both(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    let (_store, [one, other]) = processes();
    let call = async |shop: Shop| outcome(failing(&shop, 1)).await;
    let answer = newer_elsewhere(&one, &other, call).await;
    assert_eq!(answer, (Ok(2), Outcome::Stale));

    let (_store, [one, other]) = processes();
    let call = async |shop: Shop| outcome(swr(&shop, 1)).await;
    let answer = newer_elsewhere(&one, &other, call).await;
    assert_eq!(answer, (Ok(2), Outcome::Stale));

    // What is here could still be served where computing fails; what is there, at once.
    let (_store, [one, other]) = processes();
    let call = async |shop: Shop| outcome(both(&shop, 1)).await;
    let answer = newer_elsewhere(&one, &other, call).await;
    assert_eq!(answer, (Ok(2), Outcome::Stale));
    assert_eq!(one.runs(), 1);
}

#[tokio::test]
async fn a_handle_may_be_older_than_a_timeout() {
    let shop = Shop::new().await;
    let entry = afresh::entry(timed(&shop, 1));
    shop.pass(6);
    shop.hold();
    let goes_on = async {
        shop.reached().await;
        shop.release(1);
    };
    let (answer, ()) = tokio::join!(entry.refresh(), goes_on);
    assert_eq!(answer, Ok(1));
}

#[tokio::test]
async fn past_the_time_to_serve_at_once_a_call_waits_for_a_compute_of_its_own() {
    const POLICY: Policy<Background> = Policy::new().stale_for(secs(10)).stale_if_error(secs(600));

    #[cached(ttl = 60, key = "{id}", policy = POLICY, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    let shop = Shop::new().await;
    price(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.hold();
    assert_outcome(price(&shop, 1), Outcome::Stale)
        .await
        .unwrap();
    shop.reached().await;
    shop.pass(44);
    shop.release(0);
    shop.costs(2);
    assert_eq!(
        assert_outcome(price(&shop, 1), Outcome::Computed).await,
        Ok(2)
    );
    shop.release(1);
}
