//! A cluster: entries in their slots, the log in another, and both when slots move and primaries
//! change. Three real primaries and as many replicas.
#![cfg(feature = "redis")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use afresh::{Cache, Consistency, Outcome, Tier, cached, invalidates, outcome};
use afresh_test_support::{Cluster, eventually, until};

const LOCAL: Outcome = Outcome::Hit(Tier::Local);
const SHARED: Outcome = Outcome::Hit(Tier::Shared);
/// The log's metadata; it is where the rest of the log is.
const LOG: &[u8] = b"{shop}:afresh:1:log";

#[cached(ttl = 600, key = "{id}", tags = ["books", "book:{id}"], singleflight, cache = cache)]
async fn book(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

#[invalidates(tags = ["books", "more"], cache = cache)]
async fn change(cache: &Cache, source: &AtomicU64, to: u64) {
    source.store(to, Ordering::SeqCst);
}

async fn connect(cluster: &Cluster, consistency: Consistency) -> Cache {
    let builder = Cache::builder().url(cluster.url()).prefix("shop");
    builder
        .consistency(consistency)
        .build()
        .await
        .expect("a cache")
}

/// Waits until what one stores is a hit for the other, in every slot.
async fn await_sharing(one: &Cache, two: &Cache, from: u64) {
    let source = AtomicU64::new(7);
    let mut id = from;
    for _ in 0..40 {
        until("a hit in the cluster", async || {
            id += 1;
            book(one, &source, id).await;
            outcome(book(two, &source, id)).await.1 == SHARED
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_shared_and_invalidated_whatever_their_slots() {
    let cluster = Cluster::start();
    let source = AtomicU64::new(1);
    let one = connect(&cluster, Consistency::Bounded).await;
    let two = connect(&cluster, Consistency::Strict).await;
    for id in 0..60 {
        assert_eq!(
            outcome(book(&one, &source, id)).await,
            (1, Outcome::Computed)
        );
        assert_eq!(outcome(book(&two, &source, id)).await, (1, SHARED));
        assert_eq!(outcome(book(&one, &source, id)).await, (1, LOCAL));
        assert_eq!(outcome(book(&two, &source, id)).await, (1, LOCAL));
    }
    for primary in 0..3 {
        let entries = cluster.node(primary).cli(&["KEYS", "shop:afresh:1:e:*"]);
        assert!(entries.lines().count() > 5, "{primary}: {entries}");
    }
    change(&one, &source, 2).await;
    assert_eq!(one.stats().owed, 0);
    for id in 0..60 {
        assert_eq!(book(&two, &source, id).await, 2);
        assert_eq!(book(&one, &source, id).await, 2);
    }
    // Two commands, no more: of an entry and its lease, and the log's.
    assert_eq!((one.stats().store_errors, two.stats().store_errors), (0, 0));
    for primary in 0..3 {
        let errors = cluster.node(primary).info("errorstats");
        assert!(!errors.contains_key("errorstat_CROSSSLOT"), "{errors:?}");
        assert!(!errors.contains_key("errorstat_MOVED"), "{errors:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_computes_and_the_others_are_woken() {
    #[cached(ttl = 600, key = "{id}", singleflight, cache = cache)]
    async fn slow(cache: &Cache, runs: &AtomicU64, gate: &tokio::sync::Semaphore, id: u64) -> u64 {
        gate.acquire().await.expect("an open gate").forget();
        runs.fetch_add(1, Ordering::SeqCst)
    }

    let cluster = Cluster::start();
    let one = connect(&cluster, Consistency::Bounded).await;
    let two = connect(&cluster, Consistency::Bounded).await;
    for id in 0..12 {
        let (runs, gate) = (AtomicU64::new(0), tokio::sync::Semaphore::new(0));
        let calls = (0..20).map(|n| slow(if n % 2 == 0 { &one } else { &two }, &runs, &gate, id));
        let open = async {
            until("a lease", async || {
                (0..3).any(|node| !cluster.node(node).cli(&["KEYS", "*:l:*"]).is_empty())
            })
            .await;
            gate.add_permits(20);
        };
        let began = std::time::Instant::now();
        let (values, ()) = tokio::join!(futures_util::future::join_all(calls), open);
        assert_eq!(values, [0; 20], "{id}");
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        // Without the note they would wait for the lease to run out: ten seconds.
        assert!(
            began.elapsed() < Duration::from_secs(8),
            "{:?}",
            began.elapsed()
        );
    }
}

/// Runs rounds of change and read while `disturb` goes on, and some more afterwards: what is read
/// after an acknowledgement is never older.
async fn under_load(disturb: impl FnOnce(&Cluster) + Send + 'static) {
    let cluster = Arc::new(Cluster::start());
    let source = AtomicU64::new(0);
    let writer = connect(&cluster, Consistency::Bounded).await;
    let strict = connect(&cluster, Consistency::Strict).await;
    let bounded = connect(&cluster, Consistency::Bounded).await;
    let disturbed = tokio::task::spawn_blocking({
        let cluster = Arc::clone(&cluster);
        move || disturb(&cluster)
    });
    let rounds = async {
        let mut after = 0;
        let mut round = 0;
        let mut acknowledged = 0;
        while after < 50 {
            round += 1;
            source.store(round, Ordering::SeqCst);
            if writer.invalidate(["books"]).await.is_ok() {
                acknowledged = round;
            }
            for id in 0..4 {
                let read = outcome(book(&strict, &source, id)).await;
                assert!(
                    read.0 >= acknowledged,
                    "{id}: {read:?} after {acknowledged}"
                );
                let own = outcome(book(&writer, &source, id)).await;
                assert_eq!(own.0, round, "{id}: {own:?}: its own is never older");
                book(&bounded, &source, id).await;
            }
            if disturbed.is_finished() {
                after += 1;
            }
        }
        round
    };
    let rounds = rounds.await;
    disturbed.await.expect("the disturbance went as planned");
    until("the debts", async || writer.stats().owed == 0).await;
    for id in 0..4 {
        until("the last value", async || {
            book(&bounded, &source, id).await == rounds
        })
        .await;
    }
    await_sharing(&writer, &strict, 1_000).await;
    await_sharing(&strict, &bounded, 2_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn slots_move_under_load() {
    under_load(|cluster| {
        let log = Cluster::slot_of(LOG);
        for slot in entries(cluster) {
            let to = (cluster.primary_of(slot) + 1) % 3;
            cluster.migrate(slot, to);
        }
        let from = cluster.primary_of(log);
        cluster.migrate(log, (from + 1) % 3);
        cluster.migrate(log, from);
    })
    .await;
}

/// The slots of the entries that are stored.
fn entries(cluster: &Cluster) -> Vec<u16> {
    let mut slots = Vec::new();
    eventually("some entries", || {
        let keys = (0..3).map(|node| cluster.node(node).cli(&["KEYS", "shop:afresh:1:e:*"]));
        let slot = |key: &str| Cluster::slot_of(key.as_bytes());
        slots = keys
            .flat_map(|keys| keys.lines().map(slot).collect::<Vec<_>>())
            .collect();
        slots.len() >= 3
    });
    slots
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_primary_hands_over_under_load() {
    under_load(|cluster| {
        let before = cluster.primary_of(Cluster::slot_of(LOG));
        let after = cluster.fail_over(Cluster::slot_of(LOG));
        assert_ne!(before, after);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_primary_dies_under_load() {
    under_load(|cluster| {
        let log = Cluster::slot_of(LOG);
        let dead = cluster.primary_of(log);
        cluster.kill_primary(log);
        cluster.restart(dead);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_slots_is_left() {
    let cluster = Cluster::start();
    let source = AtomicU64::new(1);
    let one = connect(&cluster, Consistency::Bounded).await;
    let two = connect(&cluster, Consistency::Bounded).await;
    await_sharing(&one, &two, 0).await;
    let log = cluster.primary_of(Cluster::slot_of(LOG));
    let (from, to) = ((log + 1) % 3, (log + 2) % 3);
    let ours = || {
        let clients = cluster.node(from).cli(&["CLIENT", "LIST"]);
        let ours = clients.lines().filter(|line| line.contains("user=tester"));
        ours.count()
    };
    assert_eq!(ours(), 2);
    cluster.empty(from, to);
    await_sharing(&one, &two, 1_000).await;
    change(&one, &source, 2).await;
    assert_eq!(one.stats().owed, 0);
    eventually("the end of the connections", || ours() == 0);
    await_sharing(&two, &one, 2_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_being_given_its_first_slot_keeps_its_connection() {
    let cluster = Cluster::start();
    let log = cluster.primary_of(Cluster::slot_of(LOG));
    let (from, empty) = (log, (log + 1) % 3);
    cluster.empty(empty, log);
    let source = AtomicU64::new(1);
    let one = connect(&cluster, Consistency::Bounded).await;
    book(&one, &source, 1).await;
    let slot = entries_of(&cluster, from);
    cluster.begin_migration(slot, empty);
    // What is not there yet is asked for where it goes.
    one.invalidate(["book:1"]).await.expect("acknowledged");
    cluster.move_keys(slot, empty);
    let ours = || -> Vec<String> {
        let clients = cluster.node(empty).cli(&["CLIENT", "LIST"]);
        let ours = clients.lines().filter(|line| line.contains("user=tester"));
        let id = |line: &str| line.split_whitespace().next().map(str::to_owned);
        ours.filter_map(id).collect()
    };
    let beats = || cluster.node(empty).commandstats().get("ping").copied();
    book(&one, &source, 1).await;
    let (began, beat) = (ours(), beats());
    assert_eq!(began.len(), 1);
    eventually("two more heartbeats", || {
        beats() >= beat.map(|beat| beat + 2)
    });
    for _ in 0..20 {
        one.invalidate(["book:1"]).await.expect("acknowledged");
        assert_eq!(book(&one, &source, 1).await, 1);
    }
    assert_eq!(ours(), began, "one connection, the same");
    cluster.end_migration(slot, empty);
    assert_eq!(book(&one, &source, 1).await, 1);
}

/// The slot of an entry that is stored on this node.
fn entries_of(cluster: &Cluster, node: usize) -> u16 {
    let keys = cluster.node(node).cli(&["KEYS", "shop:afresh:1:e:*"]);
    let key = keys.lines().next().expect("an entry");
    Cluster::slot_of(key.as_bytes())
}
