//! A primary that sentinels watch: found through them, followed when it changes, and never
//! believed after it has been replaced. Three real sentinels, a primary, two replicas.
#![cfg(feature = "redis")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use afresh::{Cache, Consistency, ErrorKind, Outcome, Tier, cached, outcome};
use afresh_test_support::{Sentinels, Stop, until};

const SHARED: Outcome = Outcome::Hit(Tier::Shared);

#[cached(ttl = 600, key = "{id}", tags = ["books"], singleflight, cache = cache)]
async fn book(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

async fn connect(url: &str, consistency: Consistency) -> Cache {
    let builder = Cache::builder().url(url).prefix("shop");
    builder
        .consistency(consistency)
        .build()
        .await
        .expect("a cache")
}

/// Waits until what one stores is a hit for the other.
async fn await_sharing(one: &Cache, two: &Cache, from: u64) {
    let source = AtomicU64::new(7);
    let mut id = from;
    until("a hit in the server", async || {
        id += 1;
        book(one, &source, id).await;
        outcome(book(two, &source, id)).await.1 == SHARED
    })
    .await;
}

/// Changes and reads while the primary is replaced.
async fn follows(replace: impl FnOnce(&Sentinels) + Send + 'static) {
    let sentinels = Arc::new(Sentinels::start());
    let url = sentinels.url();
    let writer = connect(&url, Consistency::Bounded).await;
    let strict = connect(&url, Consistency::Strict).await;
    await_sharing(&writer, &strict, 1_000).await;
    let source = AtomicU64::new(0);
    let replaced = tokio::task::spawn_blocking({
        let sentinels = Arc::clone(&sentinels);
        move || replace(&sentinels)
    });
    let rounds = async {
        let (mut round, mut acknowledged, mut after) = (0, 0, 0);
        while after < 50 {
            round += 1;
            source.store(round, Ordering::SeqCst);
            if writer.invalidate(["books"]).await.is_ok() {
                acknowledged = round;
            }
            let own = outcome(book(&writer, &source, 1)).await;
            assert_eq!(own.0, round, "{own:?}: its own is never older");
            let read = outcome(book(&strict, &source, 1)).await;
            assert!(read.0 >= acknowledged, "{read:?} after {acknowledged}");
            if replaced.is_finished() {
                after += 1;
            }
        }
    };
    rounds.await;
    replaced.await.expect("the primary was replaced");
    until("the debts", async || writer.stats().owed == 0).await;
    await_sharing(&writer, &strict, 2_000).await;
    await_sharing(&strict, &writer, 3_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_orderly_change_of_primaries_is_followed() {
    follows(|sentinels| {
        sentinels.fail_over();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_death_of_a_primary_is_followed() {
    follows(|sentinels| {
        sentinels.kill_primary();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sentinel_is_enough_and_a_wrong_name_is_told() {
    let sentinels = Sentinels::start();
    sentinels.sentinels()[0].stop(Stop::Kill);
    let source = AtomicU64::new(1);
    let one = connect(&sentinels.url(), Consistency::Bounded).await;
    let two = connect(&sentinels.url(), Consistency::Bounded).await;
    assert_eq!(book(&one, &source, 1).await, 1);
    assert_eq!(outcome(book(&two, &source, 1)).await, (1, SHARED));

    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let wrong = sentinels.url().replace("/shop", "/shoop");
    let cache = Cache::builder()
        .url(wrong)
        .prefix("shop")
        .observer(move |event: &afresh::Event<'_>| {
            if let afresh::Event::Fault { error, .. } = event {
                let line = (error.kind(), error.to_string());
                tell.lock().expect("no panic in here").push(line);
            }
        })
        .build()
        .await
        .expect("a cache");
    assert_eq!(
        outcome(book(&cache, &source, 1)).await,
        (1, Outcome::Computed)
    );
    let named = |(kind, text): &&(ErrorKind, String)| {
        *kind == ErrorKind::Config && text.contains("no primary named `shoop`")
    };
    let count = || {
        let told = told.lock().expect("no panic in here");
        told.iter().filter(named).count()
    };
    // Each attempt finds the same, and it is told once.
    until("being told", async || count() > 0).await;
    let misses = cache.stats().computed;
    for id in 0..100 {
        book(&cache, &source, id).await;
    }
    assert_eq!(cache.stats().computed, misses + 100);
    assert_eq!(count(), 1);
}
