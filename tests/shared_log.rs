//! The log itself damaged, lost or replaced: misses, never a stale hit, and the caches find their
//! way back to sharing without help.
#![cfg(feature = "redis")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use afresh::{Cache, Consistency, Event, Outcome, Tier, cached, outcome};
use afresh_test_support::{PATIENCE, ReplyGate, Server, eventually};
use tokio::runtime::Handle;

const SHARED: Outcome = Outcome::Hit(Tier::Shared);
const LOCAL: Outcome = Outcome::Hit(Tier::Local);
const KEYS: [&str; 3] = [
    "{shop}:afresh:1:log",
    "{shop}:afresh:1:tags:0",
    "{shop}:afresh:1:records",
];

/// Reads its source, a number.
#[cached(ttl = 1800, key = "{id}", tags = ["books"], cache = cache)]
async fn book(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

async fn connect(url: &str) -> Cache {
    let builder = Cache::builder().url(url).prefix("shop");
    builder.build().await.expect("a cache")
}

/// How the call of a book is answered.
fn read(cache: &Cache, source: &AtomicU64, id: u64) -> (u64, Outcome) {
    let call = outcome(book(cache, source, id));
    tokio::task::block_in_place(|| Handle::current().block_on(call))
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

/// Changes the source and invalidates, so that what is stored is stale from now on.
async fn change(cache: &Cache, source: &AtomicU64, to: u64) {
    source.store(to, Ordering::SeqCst);
    cache.invalidate(["books"]).await.expect("an invalidation");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_key_of_the_log_brings_nothing_back() {
    for key in KEYS {
        let server = Server::start();
        let source = AtomicU64::new(1);
        let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
        assert_eq!(read(&one, &source, 1).0, 1);
        assert_eq!(read(&two, &source, 1), (1, SHARED));
        change(&one, &source, 2).await;
        // The entry is still there: only the log tells that it is stale.
        assert_eq!(server.cli(&["DEL", key]), "1", "{key}");
        let late = connect(&server.url()).await;
        assert_eq!(read(&late, &source, 1), (2, Outcome::Computed), "{key}");
        assert_eq!(read(&one, &source, 1).0, 2, "{key}");
        eventually("the other's note", || read(&two, &source, 1).0 == 2);
        await_sharing(&one, &two);
        await_sharing(&late, &one);
        change(&late, &source, 3).await;
        eventually("the note after it", || {
            read(&one, &source, 1).0 == 3 && read(&two, &source, 1).0 == 3
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_key_is_noticed_without_a_newcomer() {
    for key in KEYS {
        let server = Server::start();
        let source = AtomicU64::new(1);
        let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
        change(&one, &source, 1).await;
        assert_eq!(read(&one, &source, 1).0, 1);
        eventually("the copy", || read(&two, &source, 1) == (1, LOCAL));
        assert_eq!(server.cli(&["DEL", key]), "1", "{key}");
        change(&one, &source, 2).await;
        assert_eq!(read(&one, &source, 1), (2, Outcome::Computed), "{key}");
        eventually("the other's note", || read(&two, &source, 1).0 == 2);
        await_sharing(&one, &two);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushing_everything_is_a_miss() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    change(&one, &source, 1).await;
    assert_eq!(read(&one, &source, 1).0, 1);
    eventually("the copy", || read(&two, &source, 1) == (1, LOCAL));
    server.cli(&["FLUSHALL"]);
    source.store(2, Ordering::SeqCst);
    eventually("the end of the copies", || {
        read(&one, &source, 1).0 == 2 && read(&two, &source, 1).0 == 2
    });
    change(&two, &source, 3).await;
    eventually("the other's note", || read(&one, &source, 1).0 == 3);
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_log_in_its_place_makes_everything_miss() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    assert_eq!(read(&one, &source, 1).0, 1);
    assert_eq!(read(&two, &source, 1), (1, SHARED));
    // No key that is tracked changes: the heartbeat tells.
    server.cli(&["HSET", KEYS[0], "id", "another log's id"]);
    server.cli(&["HSET", KEYS[1], "", "another log's id"]);
    source.store(2, Ordering::SeqCst);
    eventually("the end of the copies", || {
        read(&one, &source, 1).0 == 2 && read(&two, &source, 1).0 == 2
    });
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_moved_unseen_is_caught_up_with() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    change(&one, &source, 1).await;
    assert_eq!(read(&one, &source, 1).0, 1);
    eventually("the copy", || read(&two, &source, 1) == (1, LOCAL));
    // Two records are lost, with what they named: the floor alone can tell.
    server.cli(&["HSET", KEYS[0], "head", "3", "floor", "3"]);
    source.store(2, Ordering::SeqCst);
    eventually("the end of the copies", || {
        read(&one, &source, 1).0 == 2 && read(&two, &source, 1).0 == 2
    });
    change(&one, &source, 3).await;
    eventually("the other's note", || read(&two, &source, 1).0 == 3);
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_replica_that_lacks_the_last_records_serves_nothing_old() {
    let primary = Server::start();
    let replica = Server::replica_of(&primary);
    let gate = ReplyGate::before(&primary);
    let source = AtomicU64::new(1);
    let (one, moves) = (connect(&primary.url()).await, connect(&gate.url()).await);
    assert_eq!(read(&one, &source, 1).0, 1);
    assert_eq!(read(&moves, &source, 1), (1, SHARED));
    primary.await_copy(&replica);
    replica.cli(&["REPLICAOF", "NO", "ONE"]);
    // Acknowledged by the old primary, and unknown to the new one.
    change(&one, &source, 2).await;
    let late = connect(&replica.url()).await;
    for other in 0..3 {
        let tag = format!("other:{other}");
        late.invalidate([tag]).await.expect("an invalidation");
    }
    assert_eq!(read(&late, &source, 1), (2, Outcome::Computed));
    gate.lead_to(&replica);
    eventually("the end of the copy", || read(&moves, &source, 1).0 == 2);
    source.store(3, Ordering::SeqCst);
    late.invalidate(["books"]).await.expect("an invalidation");
    eventually("the other's note", || read(&moves, &source, 1).0 == 3);
    await_sharing(&late, &moves);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_promoted_under_a_connection_begins_another_log() {
    let primary = Server::start();
    let source = AtomicU64::new(1);
    let replica = Server::replica_of(&primary);
    let one = connect(&primary.url()).await;
    assert_eq!(read(&one, &source, 1).0, 1);
    primary.await_copy(&replica);
    let id = |server: &Server| server.command(&[b"HGET", KEYS[0].as_bytes(), b"id"]);
    assert_eq!(id(&replica), id(&primary));
    replica.cli(&["REPLICAOF", "NO", "ONE"]);
    let two = connect(&replica.url()).await;
    assert_ne!(
        id(&replica),
        id(&primary),
        "the entry's log is not this one"
    );
    source.store(2, Ordering::SeqCst);
    assert_eq!(read(&two, &source, 1), (2, Outcome::Computed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_that_fell_behind_a_trimmed_log_asks() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&gate.url()).await);
    assert_eq!(read(&one, &source, 1).0, 1);
    assert_eq!(read(&two, &source, 1), (1, SHARED));
    assert_eq!(read(&one, &source, 2).0, 1);
    gate.hold();
    gate.cut();
    change(&one, &source, 2).await;
    for other in 0..3 {
        let tag = format!("other:{other}");
        one.invalidate([tag]).await.expect("an invalidation");
    }
    server.cli(&["XTRIM", KEYS[2], "MAXLEN", "1"]);
    gate.release();
    // Nothing in the records tells it that its copy is stale.
    eventually("the end of the copy", || read(&two, &source, 1).0 == 2);
    assert_eq!(read(&two, &source, 2).0, 2, "nor is what is stored");
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_further_behind_than_one_reading_starts_anew() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&gate.url()).await);
    assert_eq!(read(&two, &source, 1).0, 1);
    gate.hold();
    gate.cut();
    change(&one, &source, 2).await;
    // More than a catch-up reads at once; the change is the first of them.
    for other in 0..1_500 {
        let tag = format!("other:{other}");
        one.invalidate([tag]).await.expect("an invalidation");
    }
    gate.release();
    eventually("the end of the copy", || read(&two, &source, 1).0 == 2);
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_busy_log_is_no_broken_one() {
    let server = Server::start();
    let lost = Arc::new(AtomicU64::new(0));
    let mut caches = Vec::new();
    for connections in [1, 3] {
        let lost = Arc::clone(&lost);
        let observer = move |event: &Event<'_>| {
            if matches!(event, Event::Disconnected) {
                lost.fetch_add(1, Ordering::SeqCst);
            }
        };
        let builder = Cache::builder().url(server.url()).prefix("shop");
        let builder = builder
            .consistency(Consistency::Strict)
            .connections(connections)
            // Busy is not silent.
            .op_timeout(PATIENCE)
            .observer(observer);
        caches.push(builder.build().await.expect("a cache"));
    }
    let source = AtomicU64::new(0);
    let work = caches.iter().flat_map(|cache| {
        let source = &source;
        (0..4).map(move |id| async move {
            for round in 0..500 {
                if round % 3 == id % 3 {
                    cache.invalidate(["books"]).await.expect("acknowledged");
                }
                // A barrier each, as soon as there is a copy.
                book(cache, source, id).await;
            }
        })
    });
    futures_util::future::join_all(work).await;
    assert_eq!(
        lost.load(Ordering::SeqCst),
        0,
        "notes and replies come in order"
    );
}
