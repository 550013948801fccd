//! Inherited tags where the log is shared: whoever computes from whatever it believes, nobody is
//! served a value that is made of one that was invalidated before.
#![cfg(feature = "redis")]

use std::sync::atomic::{AtomicU64, Ordering};

use afresh::{Cache, Consistency, Outcome, Tier, cached, entry, invalidates, outcome};
use afresh_test_support::{PATIENCE, Reply, ReplyGate, Server, eventually};
use futures_util::future::join_all;

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
    let tags = (0..5_000).map(|tag| format!("owed:{tag}"));
    let owing = here.invalidate(tags);
    drop(tokio::time::timeout(std::time::Duration::ZERO, owing).await);
    server.resume();
    eventually("the debts are paid", || here.stats().owed == 0);
    let records: Vec<_> = records(&server);
    let moving = records.iter().filter(|tags| !tags.is_empty());
    assert!(moving.clone().count() >= 9, "{}", records.len());
    for tags in moving {
        assert!(tags.iter().any(|tag| tag == ANY), "{tags:02x?}");
    }
}
