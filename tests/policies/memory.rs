//! In memory, on a clock that stands still until it is moved.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use afresh::testing::{assert_outcome, idle, refreshed};
use afresh::{Background, Event, Limited, Outcome, Policy, StaleReason, Tier, cached, outcome};

use tracing::Instrument as _;

use crate::shop::{Broken, Shop};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const HIT: Outcome = Outcome::Hit(Tier::Local);

/// 60 s fresh, then 60 s stale.
const SWR: Policy<Background> = Policy::new().stale_for(secs(60));

#[cached(ttl = 60, key = "{id}", tags = ["prices"], policy = SWR, cache = shop.cache)]
async fn swr(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

/// 60 s fresh, then an hour where computing fails.
const FAIL_SAFE: Policy = Policy::new()
    .stale_if_error(secs(3_600))
    .backoff(secs(10), secs(40));

#[cached(ttl = 60, key = "{id}", tags = ["prices"], policy = FAIL_SAFE, cache = shop.cache)]
async fn fail_safe(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

const AHEAD: Policy<Background> = Policy::new().refresh_ahead(0.5);

#[cached(ttl = 60, key = "{id}", tags = ["prices"], policy = AHEAD, cache = shop.cache)]
async fn ahead(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

const TIMED: Policy<Background, Limited> = Policy::new()
    .stale_if_error(secs(600))
    .soft_timeout(secs(1))
    .hard_timeout(secs(5));

#[cached(ttl = 60, key = "{id}", tags = ["prices"], policy = TIMED, cache = shop.cache)]
async fn timed(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

#[cached(ttl = 60, key = "{id}", tags = ["prices"], policy = TIMED, singleflight, cache = shop.cache)]
async fn timed_flight(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

const HARD: Policy<afresh::Inline, Limited> = Policy::new().hard_timeout(secs(5));

#[cached(ttl = 60, key = "{id}", tags = ["prices"], policy = HARD, cache = shop.cache)]
async fn hard(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

// Stale while a new value is computed.

#[tokio::test]
async fn s1_stale_reads_are_answered_at_once_and_refresh_exactly_once() {
    let shop = Shop::new().await;
    assert_outcome(swr(&shop, 1), Outcome::Computed)
        .await
        .unwrap();
    shop.costs(2);
    shop.pass(61);
    shop.hold();
    let reads: Vec<_> = (0..8).map(|_| outcome(swr(&shop, 1))).collect();
    for (price, outcome) in futures_util::future::join_all(reads).await {
        assert_eq!((price, outcome), (Ok(1), Outcome::Stale));
    }
    shop.reached().await;
    // While it is computed, too.
    assert_outcome(swr(&shop, 1), Outcome::Stale).await.unwrap();
    shop.release(1);
    refreshed(swr(&shop, 1)).await;
    assert_eq!(assert_outcome(swr(&shop, 1), HIT).await, Ok(2));
    assert_eq!(shop.runs(), 2);
    let stats = shop.cache.stats();
    assert_eq!((stats.stale, stats.computed, stats.refreshed), (9, 1, 1));
    assert_eq!((stats.refreshed_ahead, stats.hits_local), (0, 1));
}

#[tokio::test]
async fn s2_a_fresh_read_begins_nothing() {
    let shop = Shop::new().await;
    swr(&shop, 1).await.unwrap();
    shop.pass(59);
    assert_outcome(swr(&shop, 1), HIT).await.unwrap();
    idle(&shop.cache).await;
    assert_eq!(shop.runs(), 1);
}

#[tokio::test]
async fn s4_beyond_the_grace_a_call_computes() {
    let shop = Shop::new().await;
    swr(&shop, 1).await.unwrap();
    shop.costs(2);
    shop.pass(120);
    assert_eq!(
        assert_outcome(swr(&shop, 1), Outcome::Computed).await,
        Ok(2)
    );
    idle(&shop.cache).await;
    assert_eq!(shop.runs(), 2);
}

#[tokio::test]
async fn s5_a_refresh_renews_the_whole_ttl() {
    let shop = Shop::new().await;
    swr(&shop, 1).await.unwrap();
    shop.pass(61);
    assert_outcome(swr(&shop, 1), Outcome::Stale).await.unwrap();
    refreshed(swr(&shop, 1)).await;
    shop.pass(59);
    assert_outcome(swr(&shop, 1), HIT).await.unwrap();
    shop.pass(1);
    assert_outcome(swr(&shop, 1), Outcome::Stale).await.unwrap();
}

#[tokio::test]
async fn s6_a_refresh_that_ends_beyond_the_grace_is_stored_all_the_same() {
    let shop = Shop::new().await;
    swr(&shop, 1).await.unwrap();
    shop.costs(2);
    shop.pass(61);
    shop.hold();
    assert_outcome(swr(&shop, 1), Outcome::Stale).await.unwrap();
    shop.reached().await;
    shop.pass(600);
    shop.release(1);
    refreshed(swr(&shop, 1)).await;
    assert_eq!(assert_outcome(swr(&shop, 1), HIT).await, Ok(2));
}

#[tokio::test]
async fn an_invalidated_value_is_never_stale() {
    let shop = Shop::new().await;
    swr(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.costs(2);
    shop.cache.invalidate(["prices"]).await.unwrap();
    assert_eq!(
        assert_outcome(swr(&shop, 1), Outcome::Computed).await,
        Ok(2)
    );
}

#[tokio::test]
async fn x1_a_refresh_that_an_invalidation_overtakes_brings_nothing_back() {
    let shop = Shop::new().await;
    swr(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.hold();
    assert_outcome(swr(&shop, 1), Outcome::Stale).await.unwrap();
    // It has read the old price by now.
    shop.reached().await;
    shop.costs(2);
    shop.cache.invalidate(["prices"]).await.unwrap();
    shop.release(1);
    refreshed(swr(&shop, 1)).await;
    assert_eq!(
        assert_outcome(swr(&shop, 1), Outcome::Computed).await,
        Ok(2)
    );
}

#[tokio::test]
async fn s7_what_is_put_wins_over_an_older_refresh() {
    let shop = Shop::new().await;
    swr(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.hold();
    assert_outcome(swr(&shop, 1), Outcome::Stale).await.unwrap();
    shop.reached().await;
    afresh::entry(swr(&shop, 1)).put(Ok(7)).await.unwrap();
    shop.release(1);
    refreshed(swr(&shop, 1)).await;
    assert_eq!(assert_outcome(swr(&shop, 1), HIT).await, Ok(7));
}

#[tokio::test]
async fn s9_a_refresh_that_fails_is_absorbed_and_the_next_waits_for_the_backoff() {
    const POLICY: Policy<Background> = Policy::new()
        .stale_for(secs(600))
        .backoff(secs(10), secs(40));

    #[cached(ttl = 60, key = "{id}", policy = POLICY, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    let shop = Shop::new().await;
    price(&shop, 1).await.unwrap();
    shop.breaks(true);
    shop.pass(60);
    for (runs, wait) in [(2, 10), (3, 20), (4, 40), (5, 40)] {
        assert_outcome(price(&shop, 1), Outcome::Stale)
            .await
            .unwrap();
        refreshed(price(&shop, 1)).await;
        assert_eq!(shop.runs(), runs);
        shop.pass(wait - 1);
        assert_outcome(price(&shop, 1), Outcome::Stale)
            .await
            .unwrap();
        idle(&shop.cache).await;
        assert_eq!(shop.runs(), runs, "before the backoff is over");
        shop.pass(1);
    }
    shop.breaks(false);
    shop.costs(2);
    assert_eq!(assert_outcome(price(&shop, 1), Outcome::Stale).await, Ok(1));
    refreshed(price(&shop, 1)).await;
    assert_eq!(assert_outcome(price(&shop, 1), HIT).await, Ok(2));
    let stats = shop.cache.stats();
    assert_eq!((stats.failed_refreshes, stats.refreshed), (4, 1));
}

#[tokio::test]
async fn a_panic_in_the_background_is_a_failure() {
    const POLICY: Policy<Background> = Policy::new().stale_for(secs(600));

    #[cached(ttl = 60, key = "{id}", policy = POLICY, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> u32 {
        let _ = id;
        shop.compute().await.expect("the source works")
    }

    let shop = Shop::new().await;
    price(&shop, 1).await;
    shop.pass(60);
    shop.breaks(true);
    assert_outcome(price(&shop, 1), Outcome::Stale).await;
    refreshed(price(&shop, 1)).await;
    assert_eq!(shop.cache.stats().failed_refreshes, 1);
    assert_outcome(price(&shop, 1), Outcome::Stale).await;
    assert_eq!(shop.runs(), 2);
    shop.breaks(false);
    shop.pass(1);
    assert_outcome(price(&shop, 1), Outcome::Stale).await;
    refreshed(price(&shop, 1)).await;
    assert_outcome(price(&shop, 1), HIT).await;
}

#[tokio::test]
async fn s10_borrowed_arguments_are_owned_by_the_refresh() {
    const POLICY: Policy<Background> = Policy::new().stale_for(secs(60));

    #[cached(ttl = 60, skip(shop), policy = POLICY, cache = shop.cache)]
    async fn label(shop: &Shop, name: &str, ids: &[u32]) -> Result<String, Broken> {
        Ok(format!("{name} {ids:?} {}", shop.compute().await?))
    }

    let shop = Shop::new().await;
    let name = String::from("book");
    let ids = vec![1, 2];
    assert_eq!(label(&shop, &name, &ids).await.unwrap(), "book [1, 2] 1");
    shop.pass(60);
    shop.costs(2);
    shop.hold();
    assert_outcome(label(&shop, &name, &ids), Outcome::Stale)
        .await
        .unwrap();
    shop.reached().await;
    drop((name, ids));
    shop.release(1);
    idle(&shop.cache).await;
    let label = assert_outcome(label(&shop, "book", &[1, 2]), HIT).await;
    assert_eq!(label.unwrap(), "book [1, 2] 2");
}

#[tokio::test]
async fn a_refresh_survives_its_callers_cancellation() {
    let shop = Shop::new().await;
    swr(&shop, 1).await.unwrap();
    shop.pass(60);
    shop.costs(2);
    shop.hold();
    let reader = tokio::spawn({
        let shop = shop.clone();
        async move {
            swr(&shop, 1).await.unwrap();
            std::future::pending::<()>().await;
        }
    });
    shop.reached().await;
    reader.abort();
    let _ = reader.await;
    shop.release(1);
    idle(&shop.cache).await;
    assert_eq!(assert_outcome(swr(&shop, 1), HIT).await, Ok(2));
}

// A value where computing fails.

#[tokio::test]
async fn s11_a_value_within_the_grace_is_served_where_computing_fails() {
    let shop = Shop::new().await;
    fail_safe(&shop, 1).await.unwrap();
    shop.pass(60);
    shop.breaks(true);
    assert_eq!(
        assert_outcome(fail_safe(&shop, 1), Outcome::Stale).await,
        Ok(1)
    );
    assert_eq!(shop.runs(), 2);
    // Until the backoff is over, nobody tries.
    assert_outcome(fail_safe(&shop, 1), Outcome::Stale)
        .await
        .unwrap();
    assert_eq!(shop.runs(), 2);
    shop.pass(10);
    assert_outcome(fail_safe(&shop, 1), Outcome::Stale)
        .await
        .unwrap();
    assert_eq!(shop.runs(), 3);
    // Beyond the grace the error goes through, and each call tries.
    shop.pass(3_600);
    for runs in [4, 5] {
        assert_eq!(fail_safe(&shop, 1).await, Err(Broken::Source));
        assert_eq!(shop.runs(), runs);
    }
    let stats = shop.cache.stats();
    assert_eq!((stats.stale, stats.computed, stats.failed), (3, 3, 4));
}

#[tokio::test]
async fn a_value_that_was_invalidated_is_not_served_where_computing_fails() {
    let shop = Shop::new().await;
    fail_safe(&shop, 1).await.unwrap();
    shop.pass(60);
    shop.breaks(true);
    assert_outcome(fail_safe(&shop, 1), Outcome::Stale)
        .await
        .unwrap();
    shop.cache.invalidate(["prices"]).await.unwrap();
    // In spite of the backoff: there is nothing to serve.
    assert_eq!(fail_safe(&shop, 1).await, Err(Broken::Source));
    assert_eq!(shop.runs(), 3);
}

#[tokio::test]
async fn a_value_that_is_invalidated_during_the_compute_is_not_served_where_that_fails() {
    let shop = Shop::new().await;
    fail_safe(&shop, 1).await.unwrap();
    shop.pass(60);
    shop.breaks(true);
    shop.hold();
    let call = fail_safe(&shop, 1);
    let invalidation = async {
        shop.reached().await;
        shop.cache.invalidate(["prices"]).await.unwrap();
        shop.release(1);
    };
    let (price, ()) = tokio::join!(call, invalidation);
    assert_eq!(price, Err(Broken::Source));
}

#[tokio::test]
async fn a_success_ends_the_backoff() {
    let shop = Shop::new().await;
    fail_safe(&shop, 1).await.unwrap();
    shop.pass(60);
    shop.breaks(true);
    fail_safe(&shop, 1).await.unwrap();
    shop.pass(10);
    fail_safe(&shop, 1).await.unwrap();
    shop.breaks(false);
    shop.costs(2);
    shop.pass(20);
    assert_eq!(
        assert_outcome(fail_safe(&shop, 1), Outcome::Computed).await,
        Ok(2)
    );
    shop.breaks(true);
    shop.pass(60);
    assert_outcome(fail_safe(&shop, 1), Outcome::Stale)
        .await
        .unwrap();
    // As after a first failure.
    shop.pass(10);
    let runs = shop.runs();
    assert_outcome(fail_safe(&shop, 1), Outcome::Stale)
        .await
        .unwrap();
    assert_eq!(shop.runs(), runs + 1);
}

#[test]
fn a_sync_function_serves_its_last_value_where_computing_fails() {
    #[cached(ttl = 60, key = "{id}", tags = ["prices"], policy = FAIL_SAFE, cache = shop.cache)]
    fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute_sync()
    }

    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let shop = runtime.block_on(Shop::new());
    assert_eq!(price(&shop, 1), Ok(1));
    shop.pass(60);
    shop.breaks(true);
    for _ in 0..10 {
        assert_eq!(price(&shop, 1), Ok(1));
    }
    assert_eq!(shop.runs(), 2);
    runtime.block_on(shop.cache.invalidate(["prices"])).unwrap();
    assert_eq!(price(&shop, 1), Err(Broken::Source));
}

// Ahead of its end.

#[tokio::test]
async fn s14_a_value_is_computed_ahead_of_its_end() {
    let shop = Shop::new().await;
    ahead(&shop, 1).await.unwrap();
    shop.costs(2);
    shop.pass(29);
    assert_outcome(ahead(&shop, 1), HIT).await.unwrap();
    idle(&shop.cache).await;
    assert_eq!(shop.runs(), 1);
    shop.pass(7);
    assert_eq!(assert_outcome(ahead(&shop, 1), HIT).await, Ok(1));
    refreshed(ahead(&shop, 1)).await;
    assert_eq!(assert_outcome(ahead(&shop, 1), HIT).await, Ok(2));
    assert_eq!(shop.runs(), 2);
    let stats = shop.cache.stats();
    assert_eq!(
        (stats.refreshed, stats.refreshed_ahead, stats.stale),
        (1, 1, 0)
    );
}

#[tokio::test]
async fn a_key_that_nobody_reads_is_not_computed() {
    let shop = Shop::new().await;
    ahead(&shop, 1).await.unwrap();
    for _ in 0..10 {
        shop.pass(6);
        idle(&shop.cache).await;
    }
    assert_eq!(shop.runs(), 1);
    // Its ttl is over.
    assert_outcome(ahead(&shop, 1), Outcome::Computed)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_longer_a_compute_takes_the_earlier_another_begins() {
    // 20 s of 60: half of the keys are due 14 s or more before the middle.
    let shop = Shop::new().await;
    for id in 0..64 {
        shop.hold();
        let call = ahead(&shop, id);
        let slow = async {
            shop.reached().await;
            shop.pass(20);
            shop.release(1);
        };
        let (price, ()) = tokio::join!(call, slow);
        price.unwrap();
        shop.pass(15);
        ahead(&shop, id).await.unwrap();
        idle(&shop.cache).await;
    }
    let early = shop.cache.stats().refreshed_ahead;
    // A share of exp(-15/20), 47 %: nobody, or everybody, would be chance of one in 10^17.
    assert!((5..60).contains(&early), "{early} of 64");
}

// Timeouts.

#[tokio::test]
async fn s13_a_soft_timeout_serves_the_last_value_and_the_compute_goes_on() {
    let shop = Shop::new().await;
    timed(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.costs(2);
    shop.hold();
    let clock = async {
        shop.reached().await;
        shop.pass(1);
    };
    let (answer, ()) = tokio::join!(outcome(timed(&shop, 1)), clock);
    assert_eq!(answer, (Ok(1), Outcome::Stale));
    assert_eq!(shop.cache.stats().background, 1);
    shop.release(1);
    refreshed(timed(&shop, 1)).await;
    assert_eq!(assert_outcome(timed(&shop, 1), HIT).await, Ok(2));
    assert_eq!(shop.runs(), 2);
    let stats = shop.cache.stats();
    assert_eq!((stats.soft_timeouts, stats.hard_timeouts), (1, 0));
    assert_eq!((stats.computed, stats.stale, stats.refreshed), (1, 1, 1));
}

#[tokio::test]
async fn while_a_compute_goes_on_in_the_background_nobody_waits_for_another() {
    let shop = Shop::new().await;
    timed(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.hold();
    let clock = async {
        shop.reached().await;
        shop.pass(1);
    };
    let (answer, ()) = tokio::join!(outcome(timed(&shop, 1)), clock);
    assert_eq!(answer, (Ok(1), Outcome::Stale));
    for _ in 0..3 {
        shop.pass(100);
        assert_outcome(timed(&shop, 1), Outcome::Stale)
            .await
            .unwrap();
    }
    assert_eq!(shop.runs(), 2);
    shop.release(1);
    refreshed(timed(&shop, 1)).await;
    assert_outcome(timed(&shop, 1), HIT).await.unwrap();
}

#[tokio::test]
async fn x1_a_compute_left_behind_that_an_invalidation_overtakes_brings_nothing_back() {
    let shop = Shop::new().await;
    timed(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.hold();
    let clock = async {
        shop.reached().await;
        shop.pass(1);
    };
    let (answer, ()) = tokio::join!(outcome(timed(&shop, 1)), clock);
    assert_eq!(answer, (Ok(1), Outcome::Stale));
    shop.costs(2);
    shop.cache.invalidate(["prices"]).await.unwrap();
    shop.release(1);
    idle(&shop.cache).await;
    assert_eq!(
        assert_outcome(timed(&shop, 1), Outcome::Computed).await,
        Ok(2)
    );
}

#[tokio::test]
async fn an_invalidation_before_the_soft_timeout_leaves_nothing_to_serve() {
    let shop = Shop::new().await;
    timed(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.hold();
    let clock = async {
        shop.reached().await;
        shop.cache.invalidate(["prices"]).await.unwrap();
        shop.pass(1);
        tokio::task::yield_now().await;
        shop.pass(4);
    };
    let (answer, ()) = tokio::join!(outcome(timed(&shop, 1)), clock);
    let error = Broken::Cache(afresh::ErrorKind::Timeout);
    assert_eq!(answer, (Err(error), Outcome::TimedOut));
    shop.release(1);
}

#[tokio::test]
async fn a_hard_timeout_without_a_value_is_an_error_and_the_compute_goes_on() {
    let shop = Shop::new().await;
    shop.hold();
    let clock = async {
        shop.reached().await;
        shop.pass(5);
    };
    let (answer, ()) = tokio::join!(outcome(timed(&shop, 1)), clock);
    let error = Broken::Cache(afresh::ErrorKind::Timeout);
    assert_eq!(answer, (Err(error), Outcome::TimedOut));
    shop.release(1);
    refreshed(timed(&shop, 1)).await;
    assert_outcome(timed(&shop, 1), HIT).await.unwrap();
    assert_eq!(shop.runs(), 1);
    let stats = shop.cache.stats();
    assert_eq!((stats.hard_timeouts, stats.timed_out), (1, 1));
    assert_eq!((stats.computed, stats.refreshed), (0, 1));
}

#[tokio::test]
async fn a_hard_timeout_without_background_drops_the_compute() {
    let shop = Shop::new().await;
    shop.hold();
    let clock = async {
        shop.reached().await;
        shop.pass(5);
    };
    let (answer, ()) = tokio::join!(outcome(hard(&shop, 1)), clock);
    let error = Broken::Cache(afresh::ErrorKind::Timeout);
    assert_eq!(answer, (Err(error), Outcome::TimedOut));
    shop.release(0);
    assert_eq!(shop.cache.stats().background, 0);
    assert_outcome(hard(&shop, 1), Outcome::Computed)
        .await
        .unwrap();
    assert_eq!(shop.runs(), 2);
}

#[tokio::test]
async fn s15_followers_are_bounded_by_their_own_timeouts() {
    let shop = Shop::new().await;
    timed_flight(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.costs(2);
    shop.hold();
    let calls: Vec<_> = (0..5).map(|_| outcome(timed_flight(&shop, 1))).collect();
    let clock = async {
        shop.reached().await;
        shop.pass(1);
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(calls), clock);
    for answer in answers {
        assert_eq!(answer, (Ok(1), Outcome::Stale));
    }
    // The leader's compute goes on; its followers had none.
    assert_eq!(shop.cache.stats().background, 1);
    shop.release(1);
    refreshed(timed_flight(&shop, 1)).await;
    assert_eq!(assert_outcome(timed_flight(&shop, 1), HIT).await, Ok(2));
    assert_eq!(shop.runs(), 2);
    assert_eq!(shop.cache.stats().soft_timeouts, 5);
}

#[tokio::test]
async fn followers_of_a_flight_that_fails_have_their_own_last_value() {
    const POLICY: Policy = Policy::new().stale_if_error(secs(600));

    #[cached(ttl = 60, key = "{id}", policy = POLICY, singleflight, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    let shop = Shop::new().await;
    price(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.breaks(true);
    shop.hold();
    let calls: Vec<_> = (0..5).map(|_| outcome(price(&shop, 1))).collect();
    let source = async {
        shop.reached().await;
        shop.release(1);
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(calls), source);
    for answer in answers {
        assert_eq!(answer, (Ok(1), Outcome::Stale));
    }
    assert_eq!(shop.runs(), 2);
}

// Bounds, ends, and what is told.

#[tokio::test]
async fn background_work_is_bounded_and_what_is_too_much_is_skipped() {
    let shop = Shop::with(|builder| builder.max_background(2)).await;
    for id in 0..5 {
        swr(&shop, id).await.unwrap();
    }
    shop.pass(61);
    shop.hold();
    for id in 0..5 {
        assert_outcome(swr(&shop, id), Outcome::Stale)
            .await
            .unwrap();
    }
    let stats = shop.cache.stats();
    assert_eq!((stats.background, stats.skipped_refreshes), (2, 3));
    shop.release(2);
    idle(&shop.cache).await;
    assert_eq!(shop.runs(), 7);
    // The next reader tries again.
    assert_outcome(swr(&shop, 4), Outcome::Stale).await.unwrap();
    refreshed(swr(&shop, 4)).await;
    assert_outcome(swr(&shop, 4), HIT).await.unwrap();
}

#[tokio::test]
async fn shutdown_waits_for_the_background() {
    let shop = Shop::new().await;
    swr(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.hold();
    swr(&shop, 1).await.unwrap();
    shop.reached().await;
    shop.release(1);
    shop.cache.shutdown().await.unwrap();
    let stats = shop.cache.stats();
    assert_eq!((stats.background, stats.refreshed), (0, 1));
    // From here on, nothing begins there, which is no want of room.
    shop.pass(61);
    assert_outcome(swr(&shop, 1), Outcome::Stale).await.unwrap();
    let stats = shop.cache.stats();
    assert_eq!((stats.background, stats.skipped_refreshes), (0, 0));
}

#[tokio::test]
async fn shutdown_says_what_was_left() {
    let shop = Shop::new().await;
    for id in 0..3 {
        swr(&shop, id).await.unwrap();
    }
    shop.pass(61);
    shop.hold();
    for id in 0..3 {
        swr(&shop, id).await.unwrap();
    }
    let left = shop.cache.shutdown_within(Duration::from_millis(20)).await;
    let left = left.unwrap_err();
    assert_eq!(left.kind(), afresh::ErrorKind::Timeout);
    assert!(left.to_string().starts_with("3 computes"), "{left}");
    assert_eq!(shop.cache.stats().background, 0);
}

#[tokio::test]
async fn the_background_ends_with_the_last_handle_and_says_so() {
    let told = Arc::new(Mutex::new(0));
    let shop = Shop::with(|builder| {
        let told = Arc::clone(&told);
        builder.observer(move |event: &Event<'_>| {
            if let Event::Abandoned { computes } = event {
                *told.lock().unwrap() += computes;
            }
        })
    })
    .await;

    // The body holds no handle: its arguments do not name the cache.
    #[cached(ttl = 60, key = "{id}", policy = SWR)]
    async fn hangs(id: u32, hang: bool, began: Arc<tokio::sync::Notify>) -> u32 {
        began.notify_one();
        if hang {
            std::future::pending::<()>().await;
        }
        id
    }

    let cache = shop.cache.clone();
    drop(shop);
    let began = Arc::new(tokio::sync::Notify::new());
    afresh::testing::with_cache(cache.clone(), async {
        hangs(1, false, Arc::clone(&began)).await;
        began.notified().await;
        afresh::testing::advance(&cache, secs(61));
        hangs(1, true, Arc::clone(&began)).await;
    })
    .await;
    began.notified().await;
    assert_eq!(cache.stats().background, 1);
    let gone = Arc::downgrade(&began);
    drop((cache, began));
    // Given up, it lets go of what it held.
    while gone.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*told.lock().unwrap(), 1);
}

#[tokio::test]
async fn the_observer_is_told_why() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let shop = Shop::with(|builder| {
        let events = Arc::clone(&events);
        builder.observer(move |event: &Event<'_>| {
            let mut events = events.lock().unwrap();
            match *event {
                Event::Stale { function, why } => events.push(format!("{function} stale {why:?}")),
                Event::Refreshed { function, ahead } => {
                    events.push(format!("{function} refreshed {ahead}"));
                }
                Event::RefreshFailed { function } => events.push(format!("{function} failed")),
                Event::TimeoutPassed { function, hard } => {
                    events.push(format!("{function} timed out {hard}"));
                }
                _ => {}
            }
        })
    })
    .await;
    let told = || std::mem::take(&mut *events.lock().unwrap());

    swr(&shop, 1).await.unwrap();
    shop.pass(61);
    swr(&shop, 1).await.unwrap();
    idle(&shop.cache).await;
    let why = format!("swr stale {:?}", StaleReason::Refreshing);
    assert_eq!(told(), [why.as_str(), "swr refreshed false"]);

    fail_safe(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.breaks(true);
    fail_safe(&shop, 1).await.unwrap();
    fail_safe(&shop, 1).await.unwrap();
    assert_eq!(
        told(),
        ["fail_safe stale Failed", "fail_safe stale Backoff"]
    );
    shop.breaks(false);

    timed(&shop, 1).await.unwrap();
    shop.pass(61);
    shop.hold();
    let clock = async {
        shop.reached().await;
        shop.pass(1);
    };
    let _ = tokio::join!(timed(&shop, 1), clock);
    assert_eq!(told(), ["timed stale SoftTimeout", "timed timed out false"]);
    shop.release(1);
    idle(&shop.cache).await;
    assert_eq!(told(), ["timed refreshed false"]);
}

#[tokio::test]
async fn jitter_spreads_the_ends() {
    const POLICY: Policy = Policy::new().jitter(0.5);

    #[cached(ttl = 100, key = "{id}", policy = POLICY, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    let shop = Shop::new().await;
    for id in 0..200 {
        price(&shop, id).await.unwrap();
    }
    let mut expired = Vec::new();
    shop.pass(49);
    for _ in 0..11 {
        let mut gone = 0;
        for id in 0..200 {
            let peeked = afresh::entry(price(&shop, id)).peek().await.unwrap();
            gone += u32::from(peeked.is_none());
        }
        expired.push(gone);
        shop.pass(10);
    }
    assert_eq!((expired[0], expired[10] > 150), (0, true), "{expired:?}");
    // Every tenth of the span has its part.
    assert!(
        expired.windows(2).all(|pair| pair[1] > pair[0]),
        "{expired:?}"
    );
}

#[tokio::test]
async fn a_ttl_that_follows_from_the_value() {
    #[cached(
        ttl = |price: &Option<u32>| if price.is_some() { secs(60) } else { secs(5) },
        key = "{id}",
        cache = shop.cache,
    )]
    async fn price(shop: &Shop, id: u32) -> Result<Option<u32>, Broken> {
        let price = shop.compute().await?;
        Ok((id > 0).then_some(price))
    }

    let shop = Shop::new().await;
    assert_eq!(price(&shop, 0).await, Ok(None));
    assert_eq!(price(&shop, 1).await, Ok(Some(1)));
    shop.pass(4);
    assert_outcome(price(&shop, 0), HIT).await.unwrap();
    shop.pass(1);
    assert_outcome(price(&shop, 0), Outcome::Computed)
        .await
        .unwrap();
    assert_outcome(price(&shop, 1), HIT).await.unwrap();
    shop.pass(55);
    assert_outcome(price(&shop, 1), Outcome::Computed)
        .await
        .unwrap();
}

#[tokio::test]
async fn no_policy_is_no_policy() {
    #[cached(ttl = 60, key = "{id}", cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    // S3: past its ttl, a call waits for its own compute.
    let shop = Shop::new().await;
    price(&shop, 1).await.unwrap();
    shop.pass(60);
    shop.breaks(true);
    assert_eq!(price(&shop, 1).await, Err(Broken::Source));
    assert_eq!(shop.cache.stats().stale, 0);
}

#[tokio::test]
async fn a_compute_in_the_background_is_in_its_callers_span() {
    #[cached(ttl = 60, key = "{id}", policy = SWR, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        tracing::info!(target: "computing", "before it waits");
        let price = shop.compute().await;
        tracing::info!(target: "computing", "after that");
        price
    }

    let spans = Arc::new(Spans::default());
    let _spans = tracing::subscriber::set_default(Arc::clone(&spans));
    let shop = Shop::new().await;
    price(&shop, 1).await.unwrap();
    assert_eq!(spans.take(), [None, None]);
    shop.pass(61);
    shop.hold();
    let request = tracing::info_span!("request");
    price(&shop, 1).instrument(request.clone()).await.unwrap();
    shop.reached().await;
    shop.release(1);
    refreshed(price(&shop, 1)).await;
    assert_eq!(spans.take(), [Some("request"), Some("request")]);
    assert_eq!(spans.left(), 0);
}

/// In which spans computes have said something. For one thread.
#[derive(Default)]
struct Spans {
    known: Mutex<Vec<&'static tracing::Metadata<'static>>>,
    entered: Mutex<Vec<u64>>,
    said: Mutex<Vec<Option<&'static str>>>,
}

impl Spans {
    fn take(&self) -> Vec<Option<&'static str>> {
        std::mem::take(&mut self.said.lock().expect("no panic under it"))
    }

    fn innermost(&self) -> Option<u64> {
        self.entered
            .lock()
            .expect("no panic under it")
            .last()
            .copied()
    }

    fn left(&self) -> usize {
        self.entered.lock().expect("no panic under it").len()
    }
}

impl tracing::Subscriber for Spans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_span() || metadata.target() == "computing"
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        let mut known = self.known.lock().expect("no panic under it");
        known.push(span.metadata());
        tracing::span::Id::from_u64(known.len() as u64)
    }

    fn current_span(&self) -> tracing_core::span::Current {
        let Some(id) = self.innermost() else {
            return tracing_core::span::Current::none();
        };
        let metadata = self.known.lock().expect("no panic under it")[id as usize - 1];
        tracing_core::span::Current::new(tracing::span::Id::from_u64(id), metadata)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        let innermost = self.innermost();
        let name = innermost
            .map(|id| self.known.lock().expect("no panic under it")[id as usize - 1].name());
        self.said.lock().expect("no panic under it").push(name);
    }

    fn enter(&self, span: &tracing::span::Id) {
        self.entered
            .lock()
            .expect("no panic under it")
            .push(span.into_u64());
    }

    fn exit(&self, _: &tracing::span::Id) {
        self.entered.lock().expect("no panic under it").pop();
    }
}
