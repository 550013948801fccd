//! Where processes share a server: who computes in the background, what stands in the
//! server, and that nothing invalidated elsewhere is ever served. Two caches on one server stand
//! for two processes: they share nothing else.

use std::time::Duration;

use afresh::testing::{assert_outcome, idle, refreshed};
use afresh::{Background, Cache, Consistency, Limited, Outcome, Policy, Tier, cached, outcome};
use afresh_test_support::{Client, Server, until};

use crate::shop::{Broken, Shop};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const SHARED: Outcome = Outcome::Hit(Tier::Shared);

const SWR: Policy<Background> = Policy::new().stale_for(secs(60));

#[cached(ttl = 60, namespace = "swr", key = "{id}", tags = ["prices"], policy = SWR, cache = shop.cache)]
async fn swr(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

const FAIL_SAFE: Policy = Policy::new()
    .stale_if_error(secs(600))
    .backoff(secs(10), secs(40));

#[cached(ttl = 60, namespace = "safe", key = "{id}", tags = ["prices"], policy = FAIL_SAFE, cache = shop.cache)]
async fn fail_safe(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

const AHEAD: Policy<Background> = Policy::new().refresh_ahead(0.5);

#[cached(ttl = 60, namespace = "ahead", key = "{id}", tags = ["prices"], policy = AHEAD, cache = shop.cache)]
async fn ahead(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

const TIMED: Policy<Background, Limited> = Policy::new()
    .stale_if_error(secs(600))
    .soft_timeout(Duration::from_millis(100))
    .hard_timeout(secs(300));

#[cached(ttl = 60, namespace = "timed", key = "{id}", tags = ["prices"], policy = TIMED, singleflight, cache = shop.cache)]
async fn timed(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

#[cached(ttl = 60, namespace = "plain", key = "{id}", cache = shop.cache)]
async fn plain(shop: &Shop, id: u32) -> Result<u32, Broken> {
    let _ = id;
    shop.compute().await
}

const BOTH: [Consistency; 2] = [Consistency::Bounded, Consistency::Strict];

async fn process(server: &Server, consistency: Consistency) -> Shop {
    let url = format!("redis://127.0.0.1:{}/", server.port());
    let builder = Cache::builder()
        .url(url)
        .prefix("shop")
        .consistency(consistency);
    Shop::of(builder.build().await.expect("a cache"))
}

async fn processes(server: &Server, consistency: Consistency) -> [Shop; 2] {
    [
        process(server, consistency).await,
        process(server, consistency).await,
    ]
}

/// A shop whose clock has been moved believes its view again with the next sign of life.
async fn believes(shop: &Shop) {
    until("a local hit", async || {
        let (_, outcome) = outcome(plain(shop, 9)).await;
        outcome == Outcome::Hit(Tier::Local)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s8_one_process_refreshes_and_the_other_stands_down() {
    for consistency in BOTH {
        let server = Server::start();
        let [one, other] = processes(&server, consistency).await;
        assert_outcome(swr(&one, 1), Outcome::Computed)
            .await
            .unwrap();
        assert_outcome(swr(&other, 1), SHARED).await.unwrap();
        for shop in [&one, &other] {
            shop.pass(61);
            shop.costs(2);
            shop.hold();
        }
        assert_eq!(assert_outcome(swr(&one, 1), Outcome::Stale).await, Ok(1));
        one.reached().await;
        assert_eq!(assert_outcome(swr(&other, 1), Outcome::Stale).await, Ok(1));
        refreshed(swr(&other, 1)).await;
        assert_eq!(other.runs(), 0);
        one.release(1);
        refreshed(swr(&one, 1)).await;
        // The other looks again after a second.
        other.pass(1);
        until("the new price", async || swr(&other, 1).await == Ok(2)).await;
        assert_eq!((one.runs(), other.runs()), (2, 0));
        assert_eq!(one.cache.stats().refreshed, 1);
        assert_eq!(other.cache.stats().failed_refreshes, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_has_invalidated_is_never_stale() {
    for consistency in BOTH {
        let server = Server::start();
        let [one, other] = processes(&server, consistency).await;
        swr(&one, 1).await.unwrap();
        fail_safe(&one, 1).await.unwrap();
        one.pass(61);
        one.costs(2);
        other.cache.invalidate(["prices"]).await.unwrap();
        // In `Bounded`, once the note is here.
        until("the new price", async || {
            let (price, outcome) = outcome(swr(&one, 1)).await;
            price == Ok(2) && outcome != Outcome::Stale
        })
        .await;
        one.breaks(true);
        assert_eq!(fail_safe(&one, 1).await, Err(Broken::Source));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_another_process_invalidates_brings_nothing_back() {
    for consistency in BOTH {
        let server = Server::start();
        let [one, other] = processes(&server, consistency).await;
        swr(&one, 1).await.unwrap();
        one.pass(61);
        one.hold();
        assert_outcome(swr(&one, 1), Outcome::Stale).await.unwrap();
        one.reached().await;
        one.costs(2);
        other.costs(2);
        other.cache.invalidate(["prices"]).await.unwrap();
        one.release(1);
        refreshed(swr(&one, 1)).await;
        assert_eq!(
            assert_outcome(swr(&other, 1), Outcome::Computed).await,
            Ok(2)
        );
        until("the new price", async || swr(&one, 1).await == Ok(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_begins_later_serves_what_stands_in_the_server() {
    for consistency in BOTH {
        let server = Server::start();
        let [one, other] = processes(&server, consistency).await;
        fail_safe(&one, 1).await.unwrap();
        other.pass(61);
        other.breaks(true);
        let price = assert_outcome(fail_safe(&other, 1), Outcome::Stale).await;
        assert_eq!((price, other.runs()), (Ok(1), 1));
        assert_outcome(fail_safe(&other, 1), Outcome::Stale)
            .await
            .unwrap();
        assert_eq!(other.runs(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_keeps_an_entry_for_its_ttl_and_the_grace() {
    let server = Server::start();
    let one = process(&server, Consistency::Bounded).await;
    plain(&one, 1).await.unwrap();
    swr(&one, 1).await.unwrap();
    fail_safe(&one, 1).await.unwrap();
    let mut client = Client::connect(server.port()).unwrap();
    let mut left = |namespace: &str| {
        let keys = client.command(&["KEYS", &format!("shop:afresh:*e:*{namespace}/*")]);
        let key = keys.unwrap().list().pop().expect("an entry");
        let key = key.bytes().expect("a key");
        client.command(&[&b"PTTL"[..], &key]).unwrap().int()
    };
    for (namespace, whole) in [("plain", 60_000), ("swr", 120_000), ("safe", 660_000)] {
        let left = left(namespace);
        assert!(
            (whole - 30_000..=whole).contains(&left),
            "{namespace}: {left}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_another_process_has_computed_ahead_is_adopted() {
    for consistency in BOTH {
        let server = Server::start();
        let [one, other] = processes(&server, consistency).await;
        ahead(&one, 1).await.unwrap();
        assert_outcome(ahead(&other, 1), SHARED).await.unwrap();
        for shop in [&one, &other] {
            shop.pass(35);
            shop.costs(2);
        }
        let (price, answer) = outcome(ahead(&one, 1)).await;
        assert_eq!(price, Ok(1));
        assert!(matches!(answer, Outcome::Hit(_)), "{answer}");
        refreshed(ahead(&one, 1)).await;
        assert_eq!(one.cache.stats().refreshed_ahead, 1);
        // It looks into the server before it computes.
        until("the new price", async || {
            let (price, answer) = outcome(ahead(&other, 1)).await;
            assert!(matches!(answer, Outcome::Hit(_)), "{answer}");
            price == Ok(2)
        })
        .await;
        idle(&other.cache).await;
        assert_eq!((one.runs(), other.runs()), (2, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s7_what_another_process_puts_wins_over_an_older_refresh() {
    for consistency in BOTH {
        let server = Server::start();
        let [one, other] = processes(&server, consistency).await;
        swr(&one, 1).await.unwrap();
        one.pass(61);
        one.hold();
        assert_outcome(swr(&one, 1), Outcome::Stale).await.unwrap();
        one.reached().await;
        afresh::entry(swr(&other, 1)).put(Ok(7)).await.unwrap();
        one.release(1);
        refreshed(swr(&one, 1)).await;
        until("what was put", async || swr(&one, 1).await == Ok(7)).await;
        assert_eq!(swr(&other, 1).await, Ok(7));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_a_compute_left_behind_commits_under_its_lease() {
    for consistency in BOTH {
        let server = Server::start();
        let [one, other] = processes(&server, consistency).await;
        timed(&one, 1).await.unwrap();
        for shop in [&one, &other] {
            shop.pass(61);
            shop.costs(2);
        }
        one.hold();
        assert_eq!(assert_outcome(timed(&one, 1), Outcome::Stale).await, Ok(1));
        assert_eq!(one.cache.stats().soft_timeouts, 1);
        // The other process waits for it no longer than that either.
        assert_eq!(
            assert_outcome(timed(&other, 1), Outcome::Stale).await,
            Ok(1)
        );
        assert_eq!(other.cache.stats().background, 0);
        one.release(1);
        refreshed(timed(&one, 1)).await;
        assert_eq!(assert_outcome(timed(&other, 1), SHARED).await, Ok(2));
        assert_eq!((one.runs(), other.runs()), (2, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_nothing_old_is_served() {
    // Nobody could say whether it has been invalidated.
    let server = Server::start();
    let one = process(&server, Consistency::Bounded).await;
    swr(&one, 1).await.unwrap();
    fail_safe(&one, 1).await.unwrap();
    drop(server);
    one.pass(61);
    one.costs(2);
    assert_eq!(assert_outcome(swr(&one, 1), Outcome::Computed).await, Ok(2));
    one.breaks(true);
    assert_eq!(fail_safe(&one, 1).await, Err(Broken::Source));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_value_that_is_seen_to_costs_no_command() {
    let server = Server::start();
    let one = process(&server, Consistency::Bounded).await;
    swr(&one, 1).await.unwrap();
    one.pass(61);
    believes(&one).await;
    one.hold();
    assert_outcome(swr(&one, 1), Outcome::Stale).await.unwrap();
    one.reached().await;
    let before = one.cache.stats();
    let gets = || {
        let mut client = Client::connect(server.port()).unwrap();
        let stats = client.command(&["INFO", "commandstats"]).unwrap();
        let text = String::from_utf8(stats.bytes().unwrap()).unwrap();
        let line = text.lines().find(|line| line.starts_with("cmdstat_get:"));
        line.map(str::to_owned)
    };
    let asked = gets();
    for _ in 0..100 {
        assert_outcome(swr(&one, 1), Outcome::Stale).await.unwrap();
    }
    assert_eq!(gets(), asked);
    assert_eq!(one.cache.stats().stale, before.stale + 100);
    one.release(1);
    idle(&one.cache).await;
}
