//! Where processes share a store that does as the test says, on a clock that stands still: what is
//! asked of it, in which order, and what comes in between.

use std::time::Duration;

use afresh::testing::{ManualClock, OperationKind, Store, assert_outcome, refreshed};
use afresh::{Background, Consistency, Limited, Outcome, Policy, Tier, cached, outcome};

use crate::shop::{Broken, Shop};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const LOCAL: Outcome = Outcome::Hit(Tier::Local);
const SHARED: Outcome = Outcome::Hit(Tier::Shared);
const BOTH: [Consistency; 2] = [Consistency::Bounded, Consistency::Strict];

const SWR: Policy<Background> = Policy::new().stale_for(secs(60));

#[cached(ttl = 60, namespace = "swr", key = "{id}", tags = ["prices"], policy = SWR, cache = shop.cache)]
async fn swr(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

/// The same entries, by who has no use for what is stale.
#[cached(ttl = 60, namespace = "swr", key = "{id}", tags = ["prices"], cache = shop.cache)]
async fn plain(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

const TIMED: Policy<Background, Limited> = Policy::new()
    .stale_if_error(secs(600))
    .soft_timeout(secs(1))
    .hard_timeout(secs(5));

#[cached(ttl = 60, namespace = "timed", key = "{id}", tags = ["prices"], policy = TIMED, singleflight, cache = shop.cache)]
async fn timed(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

fn store() -> Store {
    Store::with_clock(&ManualClock::new())
}

async fn process(store: &Store, consistency: Consistency) -> Shop {
    let builder = store.builder().consistency(consistency);
    Shop::of(builder.build().await.expect("a cache"))
}

/// What was asked since the last time, by which process; of barriers it depends on the consistency.
fn asked(store: &Store) -> Vec<(usize, OperationKind)> {
    let asked = store.operations();
    store.forget();
    asked
        .iter()
        .filter(|one| one.kind != OperationKind::Barrier)
        .map(|one| (one.cache, one.kind))
        .collect()
}

#[tokio::test]
async fn s8_a_refresh_whose_lease_is_taken_stands_down_at_once() {
    use OperationKind::{Bid, Fill};

    for consistency in BOTH {
        let store = store();
        let one = process(&store, consistency).await;
        let other = process(&store, consistency).await;
        swr(&one, 1).await.unwrap();
        swr(&other, 1).await.unwrap();
        one.pass(61);
        one.hold();
        asked(&store);
        assert_outcome(swr(&one, 1), Outcome::Stale).await.unwrap();
        one.reached().await;
        assert_eq!(asked(&store), [(1, Bid)]);
        assert_outcome(swr(&other, 1), Outcome::Stale)
            .await
            .unwrap();
        refreshed(swr(&other, 1)).await;
        assert_eq!(asked(&store), [(2, Bid)]);
        assert_eq!(other.runs(), 0);
        // Both know that a new one is being seen to.
        for shop in [&one, &other] {
            assert_outcome(swr(shop, 1), Outcome::Stale).await.unwrap();
        }
        assert_eq!(asked(&store), []);
        one.release(1);
        refreshed(swr(&one, 1)).await;
        assert_eq!(asked(&store), [(1, Fill)]);
    }
}

#[tokio::test]
async fn a_refresh_that_is_overtaken_on_its_way_to_the_store_brings_nothing_back() {
    for consistency in BOTH {
        let store = store();
        let one = process(&store, consistency).await;
        let other = process(&store, consistency).await;
        swr(&one, 1).await.unwrap();
        one.pass(61);
        let held = store.hold(OperationKind::Fill);
        assert_outcome(swr(&one, 1), Outcome::Stale).await.unwrap();
        held.reached().await;
        for shop in [&one, &other] {
            shop.costs(2);
        }
        other.cache.invalidate(["prices"]).await.unwrap();
        held.release();
        refreshed(swr(&one, 1)).await;
        for shop in [&other, &one] {
            assert_eq!(swr(shop, 1).await, Ok(2));
        }
    }
}

#[tokio::test]
async fn a_refresh_that_comes_second_takes_what_the_first_has_brought() {
    for consistency in BOTH {
        let store = store();
        let one = process(&store, consistency).await;
        let other = process(&store, consistency).await;
        swr(&one, 1).await.unwrap();
        one.pass(61);
        one.costs(2);
        one.hold();
        assert_outcome(swr(&one, 1), Outcome::Stale).await.unwrap();
        one.reached().await;
        // The other has found the old value, and is on its way to the lease.
        let held = store.hold(OperationKind::Bid);
        assert_outcome(swr(&other, 1), Outcome::Stale)
            .await
            .unwrap();
        held.reached().await;
        one.release(1);
        refreshed(swr(&one, 1)).await;
        held.release();
        refreshed(swr(&other, 1)).await;
        assert_eq!(other.runs(), 0);
        assert_eq!(assert_outcome(swr(&other, 1), LOCAL).await, Ok(2));
    }
}

#[tokio::test]
async fn a_refresh_whose_bid_fails_is_absorbed() {
    let store = store();
    let one = process(&store, Consistency::Bounded).await;
    swr(&one, 1).await.unwrap();
    one.pass(61);
    store.fail_next(OperationKind::Bid, 1);
    assert_outcome(swr(&one, 1), Outcome::Stale).await.unwrap();
    refreshed(swr(&one, 1)).await;
    assert_eq!(one.runs(), 1);
    one.pass(1);
    assert_outcome(swr(&one, 1), Outcome::Stale).await.unwrap();
    refreshed(swr(&one, 1)).await;
    assert_outcome(swr(&one, 1), LOCAL).await.unwrap();
}

#[tokio::test]
async fn a_refresh_that_cannot_be_stored_is_kept_by_its_process() {
    let store = store();
    let one = process(&store, Consistency::Bounded).await;
    let other = process(&store, Consistency::Bounded).await;
    swr(&one, 1).await.unwrap();
    one.pass(61);
    one.costs(2);
    store.fail_next(OperationKind::Fill, 1);
    assert_outcome(swr(&one, 1), Outcome::Stale).await.unwrap();
    refreshed(swr(&one, 1)).await;
    assert_eq!(assert_outcome(swr(&one, 1), LOCAL).await, Ok(2));
    assert_eq!(assert_outcome(swr(&other, 1), Outcome::Stale).await, Ok(1));
}

#[tokio::test]
async fn who_has_no_policy_gets_nothing_stale() {
    let store = store();
    let one = process(&store, Consistency::Bounded).await;
    swr(&one, 1).await.unwrap();
    one.pass(61);
    one.hold();
    assert_outcome(swr(&one, 1), Outcome::Stale).await.unwrap();
    one.reached().await;
    one.release(0);
    one.costs(2);
    // The entry is settled for the one function, and past its ttl for the other: whether its call is
    // a plain one, or somebody wants to know how it was answered.
    assert_eq!(plain(&one, 1).await, Ok(2));
    assert_eq!(one.cache.stats().computed, 2);
    one.release(1);
}

#[tokio::test]
async fn while_the_store_is_away_nothing_old_is_served() {
    let store = store();
    let one = process(&store, Consistency::Bounded).await;
    swr(&one, 1).await.unwrap();
    store.disconnect();
    one.pass(61);
    one.costs(2);
    assert_eq!(assert_outcome(swr(&one, 1), Outcome::Computed).await, Ok(2));
    // What was computed meanwhile is good for this process.
    store.reconnect();
    assert_eq!(assert_outcome(swr(&one, 1), LOCAL).await, Ok(2));
}

#[tokio::test]
async fn what_is_invalidated_while_the_store_is_asked_is_not_served() {
    const POLICY: Policy = Policy::new()
        .stale_if_error(secs(600))
        .backoff(secs(10), secs(10));

    #[cached(ttl = 60, key = "{id}", tags = ["prices"], policy = POLICY, cache = shop.cache)]
    async fn price(shop: &Shop, id: u32) -> Result<u32, Broken> {
        let _ = id;
        shop.compute().await
    }

    let store = store();
    let one = process(&store, Consistency::Bounded).await;
    price(&one, 1).await.unwrap();
    one.pass(61);
    one.breaks(true);
    assert_outcome(price(&one, 1), Outcome::Stale)
        .await
        .unwrap();
    // Now and then, who fails looks whether another has had more luck.
    one.pass(1);
    let held = store.hold(OperationKind::Get);
    let invalidation = async {
        held.reached().await;
        one.cache.invalidate(["prices"]).await.unwrap();
        held.release();
    };
    // What this process has kept was current when it was looked at.
    let (answer, ()) = tokio::join!(outcome(price(&one, 1)), invalidation);
    assert_eq!(answer, (Err(Broken::Source), Outcome::Computed));
}

#[tokio::test]
async fn who_waits_for_another_process_waits_no_longer_than_its_soft_timeout() {
    for consistency in BOTH {
        let store = store();
        let one = process(&store, consistency).await;
        let other = process(&store, consistency).await;
        timed(&one, 1).await.unwrap();
        one.pass(61);
        one.hold();
        let leads = tokio::spawn({
            let one = one.clone();
            async move { outcome(timed(&one, 1)).await }
        });
        one.reached().await;
        let waits = tokio::spawn({
            let other = other.clone();
            async move { outcome(timed(&other, 1)).await }
        });
        let bids = || {
            let asked = store.operations();
            asked
                .iter()
                .filter(|one| one.cache == 2 && one.kind == OperationKind::Bid)
                .count()
        };
        while bids() == 0 {
            tokio::task::yield_now().await;
        }
        // One tick of both clocks; and those who wait are not left behind with nothing to do.
        while !(leads.is_finished() && waits.is_finished()) {
            one.pass(1);
            tokio::task::yield_now().await;
        }
        assert_eq!(leads.await.unwrap(), (Ok(1), Outcome::Stale));
        assert_eq!(waits.await.unwrap(), (Ok(1), Outcome::Stale));
        assert_eq!(other.cache.stats().background, 0);
        one.costs(2);
        one.release(1);
        refreshed(timed(&one, 1)).await;
        assert_eq!(assert_outcome(timed(&other, 1), SHARED).await, Ok(1));
    }
}
