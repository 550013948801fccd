//! Inherited tags where the log is shared: whoever computes from whatever it believes, nobody is
//! served a value that is made of one that was invalidated before.
#![cfg(feature = "redis")]

use std::sync::atomic::{AtomicU64, Ordering};

use afresh::{Cache, Consistency, Outcome, Tier, cached, entry, invalidates, outcome};
use afresh_test_support::{PATIENCE, Reply, ReplyGate, Server, eventually, until};
use futures_util::future::join_all;
use tokio::sync::Semaphore;

const SHARED: Outcome = Outcome::Hit(Tier::Shared);
const LOCAL: Outcome = Outcome::Hit(Tier::Local);
const MISS: Outcome = Outcome::Computed;

/// The hash of the tag that every record moves, as it is frozen.
const ANY: &[u8] = &ANY_HASH.to_le_bytes();
const ANY_HASH: u64 = 0x87a5_84a0_360d_d7dc;

#[cached(ttl = 1800, key = "{id}", tags = ["item:{id}"], namespace = "items", cache = cache)]
async fn item(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

#[cached(ttl = 1800, key = "{count}", namespace = "sums", cache = cache)]
async fn sum(cache: &Cache, source: &AtomicU64, count: u64) -> u64 {
    let items = join_all((0..count).map(|id| item(cache, source, id))).await;
    items.into_iter().sum()
}

#[invalidates(tags = ["item:{id}"], crash_safe, cache = cache)]
async fn change(cache: &Cache, id: u64, run: impl Future<Output = ()>) {
    run.await;
}

async fn cache(url: String) -> Cache {
    let cache = Cache::builder()
        .url(url)
        .prefix("shop")
        .op_timeout(PATIENCE);
    cache.build().await.expect("a cache")
}

/// What each of the records in the log moves.
fn records(server: &Server) -> Vec<Vec<Vec<u8>>> {
    let reply = server.command(&[b"XRANGE", b"{shop}:afresh:1:records", b"-", b"+"]);
    let tags = |record: Reply| {
        let mut fields = record.list().pop().expect("fields").list().into_iter();
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            if name.bytes().as_deref() == Some(b"t") {
                let tags = value.bytes().expect("bytes");
                return tags.chunks(8).map(<[u8]>::to_vec).collect();
            }
        }
        Vec::new()
    };
    reply.list().into_iter().map(tags).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_goes_in_every_process_when_one_that_it_is_made_of_goes() {
    let server = Server::start();
    let (here, there) = (cache(server.url()).await, cache(server.url()).await);
    let source = AtomicU64::new(1);
    assert_eq!(sum(&here, &source, 3).await, 3);
    assert_eq!(outcome(sum(&there, &source, 3)).await, (3, SHARED));
    assert_eq!(outcome(sum(&there, &source, 3)).await, (3, LOCAL));
    source.store(2, Ordering::SeqCst);
    here.invalidate(["item:1"]).await.expect("acknowledged");
    // At once where it was made; elsewhere when the note is there.
    assert_eq!(outcome(sum(&here, &source, 3)).await, (4, MISS));
    eventually("the note arrives", || {
        let read = sum(&there, &source, 3);
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(read)) == 4
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_made_of_a_stale_copy_is_served_to_nobody_who_knows_better() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let (behind, ahead) = (cache(gate.url()).await, cache(server.url()).await);
    let source = AtomicU64::new(1);
    assert_eq!(item(&behind, &source, 0).await, 1);
    assert_eq!(outcome(item(&behind, &source, 0)).await, (1, LOCAL));
    // From here on, no note reaches one of them: it goes on by what it knows.
    gate.swallow_pushes();
    source.store(2, Ordering::SeqCst);
    ahead.invalidate(["item:0"]).await.expect("acknowledged");
    let made = sum(&behind, &source, 1).await;
    assert_eq!(made, 1, "made of what is believed there");
    assert_eq!(behind.stats().hits_local, 2);
    // It is stored, but not current: made at a position before the invalidation, of that very tag.
    assert_eq!(outcome(sum(&ahead, &source, 1)).await, (2, MISS));
    assert_eq!(outcome(sum(&ahead, &source, 1)).await, (2, LOCAL));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_can_be_named_is_outdated_by_any_record() {
    let server = Server::start();
    let (here, there) = (cache(server.url()).await, cache(server.url()).await);
    let source = AtomicU64::new(1);
    assert_eq!(sum(&here, &source, 100).await, 100);
    assert_eq!(outcome(sum(&there, &source, 100)).await, (100, SHARED));
    // One who knows nothing of the log's past asks, and may have it.
    let newcomer = cache(server.url()).await;
    assert_eq!(outcome(sum(&newcomer, &source, 100)).await, (100, SHARED));
    here.invalidate(["item:99"]).await.expect("acknowledged");
    let newcomer = cache(server.url()).await;
    source.store(2, Ordering::SeqCst);
    // All but the one that was invalidated are still there.
    assert_eq!(outcome(sum(&newcomer, &source, 100)).await, (101, MISS));
    // What is strict is not in doubt about it either.
    let strict = Cache::builder()
        .url(server.url())
        .prefix("shop")
        .op_timeout(PATIENCE);
    let strict = strict
        .consistency(Consistency::Strict)
        .build()
        .await
        .expect("a cache");
    assert_eq!(outcome(sum(&strict, &source, 100)).await, (101, SHARED));
    // A single entry that is invalidated, put or computed anew is a record too.
    source.store(3, Ordering::SeqCst);
    entry(item(&here, &source, 7)).put(5).await.expect("stored");
    assert_eq!(outcome(sum(&here, &source, 100)).await, (105, MISS));
    entry(item(&here, &source, 7))
        .invalidate()
        .await
        .expect("acknowledged");
    assert_eq!(outcome(sum(&here, &source, 100)).await, (103, MISS));
    assert_eq!(entry(item(&here, &source, 8)).refresh().await, 3);
    assert_eq!(outcome(sum(&here, &source, 100)).await, (105, MISS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_can_be_named_is_under_every_mark() {
    let server = Server::start();
    let (here, there) = (cache(server.url()).await, cache(server.url()).await);
    let source = AtomicU64::new(1);
    assert_eq!(sum(&here, &source, 100).await, 100);
    let during = async {
        // Neither served nor stored while the mutation is under way.
        for cache in [&here, &there] {
            assert_eq!(outcome(sum(cache, &source, 100)).await, (100, MISS));
            assert_eq!(outcome(sum(cache, &source, 100)).await, (100, MISS));
        }
        source.store(2, Ordering::SeqCst);
    };
    change(&here, 0, during).await;
    assert_eq!(outcome(sum(&here, &source, 100)).await, (101, MISS));
    assert_eq!(outcome(sum(&here, &source, 100)).await, (101, LOCAL));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_moves_the_tag_of_what_is_made_of_too_much() {
    let server = Server::start();
    let here = cache(server.url()).await;
    let source = AtomicU64::new(1);
    here.invalidate(["a", "b"]).await.expect("acknowledged");
    here.invalidate_namespace("items")
        .await
        .expect("acknowledged");
    here.invalidate_all().await.expect("acknowledged");
    entry(item(&here, &source, 1))
        .invalidate()
        .await
        .expect("acknowledged");
    entry(item(&here, &source, 1)).put(1).await.expect("stored");
    entry(item(&here, &source, 1)).refresh().await;
    change(&here, 1, async {}).await;
    // Owed, in more than one record.
    server.pause();
    for debt in 0..2 {
        let tags = (0..3_000).map(|tag| format!("owed:{debt}:{tag}"));
        let owing = here.invalidate(tags);
        drop(tokio::time::timeout(std::time::Duration::ZERO, owing).await);
    }
    server.resume();
    eventually("the debts are paid", || here.stats().owed == 0);
    let records: Vec<_> = records(&server);
    let moving = records.iter().filter(|tags| !tags.is_empty());
    assert!(moving.clone().count() >= 9, "{}", records.len());
    for tags in moving {
        assert!(tags.iter().any(|tag| tag == ANY), "{tags:02x?}");
    }
}

/// A sync and an async function of one namespace: in one process neither waits for the other by way
/// of the lease, for the one may be in the way of the other.
mod twins {
    use super::*;

    #[cached(ttl = 1800, key = (), namespace = "twins", singleflight(lease = "1h", wait = "1h"), cache = cache)]
    async fn of_async(cache: &Cache, run: impl Future<Output = u64>) -> u64 {
        run.await
    }

    #[cached(ttl = 1800, key = (), namespace = "twins", singleflight(lease = "1h", wait = "1h"), cache = cache)]
    fn of_sync(cache: &Cache, run: impl FnOnce() -> u64) -> u64 {
        run()
    }

    /// One thread, which the sync call blocks while the async one holds the lease; and the other way
    /// round, a body that waits for its own twin.
    #[tokio::test]
    async fn neither_waits_for_the_other() {
        let server = Server::start();
        let here = cache(server.url()).await;
        let inside = of_async(&here, async { of_sync(&here, || 1) + 10 });
        assert_eq!(inside.await, 11);
        here.invalidate_namespace("twins")
            .await
            .expect("acknowledged");
        let handle = tokio::runtime::Handle::current();
        let there = here.clone();
        let blocking = tokio::task::spawn_blocking(move || {
            of_sync(&there, || {
                handle.block_on(of_async(&there, async { 2 })) + 20
            })
        });
        assert_eq!(blocking.await.expect("ran"), 22);
        // What the lease's holder computed is shared.
        let other = cache(server.url()).await;
        let read = outcome(of_async(&other, async { 3 })).await;
        assert_eq!(read, (22, SHARED));
    }
}

/// What another process's failure follows from is not known here: what is made of it is outdated by
/// whatever comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_of_a_failure_elsewhere_is_outdated_by_any_record() {
    #[derive(Clone, Debug)]
    struct Told(String);

    impl From<afresh::Error> for Told {
        fn from(error: afresh::Error) -> Self {
            Self(error.to_string())
        }
    }

    impl std::fmt::Display for Told {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(&self.0)
        }
    }

    #[cached(ttl = 1800, key = (), tags = ["stock"], singleflight, cache = cache)]
    async fn stock(cache: &Cache, gate: &Semaphore, good: bool) -> Result<u64, Told> {
        // Its failure follows from this too, which nobody elsewhere can see.
        item(cache, &AtomicU64::new(0), 5).await;
        let _permit = gate.acquire().await.expect("open");
        if good {
            Ok(7)
        } else {
            Err(Told("sold out".to_owned()))
        }
    }

    #[cached(ttl = 1800, key = (), local, cache = cache)]
    async fn label(cache: &Cache, gate: &Semaphore, good: bool) -> String {
        match stock(cache, gate, good).await {
            Ok(left) => left.to_string(),
            Err(told) => told.0,
        }
    }

    let server = Server::start();
    let (here, there) = (cache(server.url()).await, cache(server.url()).await);
    let gate = Semaphore::new(0);
    let monitor = server.monitor();
    let leases = || {
        let seen = monitor.commands();
        let bids = |word: &String| word.contains(":afresh:1:l:");
        seen.iter()
            .filter(|seen| seen.words.iter().any(bids))
            .count()
    };
    let follows = async {
        until("the lease is held", async || leases() >= 1).await;
        let before = leases();
        let label = label(&here, &gate, false);
        let open = async {
            until("it is waited for", async || leases() > before).await;
            gate.add_permits(1);
        };
        tokio::join!(label, open).0
    };
    let (holder, label_here) = tokio::join!(stock(&there, &gate, false), follows);
    assert!(holder.is_err());
    assert!(label_here.contains("sold out"), "{label_here}");
    gate.add_permits(1);
    here.invalidate(["item:5"]).await.expect("acknowledged");
    assert_eq!(label(&here, &gate, true).await, "7");
}
