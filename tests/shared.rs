//! Several caches on one server, as processes of a fleet are: what one stores the others read, and
//! what one invalidates, however it is named, all drop.
#![cfg(feature = "redis")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use afresh::{Cache, ErrorKind, Outcome, Tier, cached, entry, outcome};
use afresh_test_support::{PATIENCE, ReplyGate, Server, eventually};
use tokio::runtime::Handle;

const SHARED: Outcome = Outcome::Hit(Tier::Shared);
const LOCAL: Outcome = Outcome::Hit(Tier::Local);

/// Reads its source, a number.
#[cached(ttl = 1800, key = "{id}", namespace = "books", tags = ["books", "book:{id}"], singleflight, cache = cache)]
async fn book(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

/// Carries the tags that it is given.
#[cached(ttl = 1800, key = "{name}", tags = tags.iter().copied(), cache = cache)]
async fn tagged(cache: &Cache, source: &AtomicU64, name: &str, tags: &[&'static str]) -> u64 {
    source.load(Ordering::SeqCst)
}

async fn connect(url: &str) -> Cache {
    let builder = Cache::builder().url(url).prefix("shop");
    builder.build().await.expect("a cache")
}

/// How a call is answered, from a closure that cannot await.
fn now<T>(call: impl Future<Output = T>) -> (T, Outcome) {
    tokio::task::block_in_place(|| Handle::current().block_on(outcome(call)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_to_invalidate_reaches_every_process() {
    let server = Server::start();
    let source = AtomicU64::new(0);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    for way in ["tag", "tags", "namespace", "key", "all"] {
        let old = source.load(Ordering::SeqCst);
        assert_eq!(
            now(book(&one, &source, 1)),
            (old, Outcome::Computed),
            "{way}"
        );
        assert_eq!(now(book(&one, &source, 1)), (old, LOCAL), "{way}");
        eventually("the entry", || now(book(&two, &source, 1)) == (old, LOCAL));
        source.store(old + 1, Ordering::SeqCst);
        match way {
            "tag" => one.invalidate(["book:1"]).await,
            "tags" => one.invalidate(["nothing", "books"]).await,
            "namespace" => one.invalidate_namespace("books").await,
            "key" => entry(book(&one, &source, 1)).invalidate().await,
            _ => one.invalidate_all().await,
        }
        .expect(way);
        // Here at once, without a note.
        let recomputed = (old + 1, Outcome::Computed);
        assert_eq!(now(book(&one, &source, 1)), recomputed, "{way}");
        eventually(way, || now(book(&two, &source, 1)).0 == old + 1);
        one.invalidate_all().await.expect("a clean start");
        source.store(old + 2, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_does_not_wait_for_the_heartbeat() {
    let server = Server::start();
    let source = AtomicU64::new(0);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    let beats = || server.commandstats().get("time").copied().unwrap_or(0);
    let before = beats();
    for round in 1..=20 {
        source.store(round, Ordering::SeqCst);
        one.invalidate(["books"]).await.expect("an invalidation");
        eventually("the note", || now(book(&two, &source, 1)).0 == round);
    }
    // Seen by heartbeats alone, each round would take one of the second process's.
    assert!(beats() - before < 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_take_what_carries_them_and_nothing_else() {
    let server = Server::start();
    let source = AtomicU64::new(0);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    let all: [(&str, &[&'static str]); 4] = [
        ("foo", &["t1", "t2", "t3"]),
        ("bar", &["t1", "t2"]),
        ("baz", &["t1", "t3"]),
        ("untagged", &[]),
    ];
    let steps: [(&[&str], &[&str]); 5] = [
        (&["t3"], &["bar", "untagged"]),
        (&["t1"], &["untagged"]),
        (&["t2", "t3"], &["untagged"]),
        (&[], &["foo", "bar", "baz", "untagged"]),
        (&["unknown"], &["foo", "bar", "baz", "untagged"]),
    ];
    for (invalidated, left) in steps {
        for (name, tags) in all {
            tagged(&one, &source, name, tags).await;
            tagged(&two, &source, name, tags).await;
        }
        let newer = source.fetch_add(1, Ordering::SeqCst) + 1;
        one.invalidate(invalidated.iter().copied())
            .await
            .expect("it is");
        // One that comes later, and one that has copies.
        let late = connect(&server.url()).await;
        for (name, tags) in all {
            let stays = left.contains(&name);
            let entry = now(entry(tagged(&late, &source, name, tags)).peek()).0;
            let there = entry.expect("a look").is_some();
            assert_eq!(there, stays, "{name} after {invalidated:?}");
            if !stays {
                eventually(name, || now(tagged(&two, &source, name, tags)).0 == newer);
            }
        }
        one.invalidate_all().await.expect("a clean start");
        eventually("the clean start", || {
            all.iter()
                .all(|(name, tags)| now(tagged(&two, &source, name, tags)).0 == newer)
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_one_tag_of_an_invalidation_without_the_other() {
    let server = Server::start();
    let source = AtomicU64::new(0);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    // The next change is made when the reader hits on both: until its record is seen, neither can
    // show it, and from then on both must.
    let settled = AtomicU64::new(0);
    let writes = async {
        for round in 1..=300 {
            while settled.load(Ordering::SeqCst) < round {
                tokio::task::yield_now().await;
            }
            source.store(round, Ordering::SeqCst);
            one.invalidate(["a", "b"]).await.expect("an invalidation");
        }
    };
    let reads = async {
        loop {
            let (first, came) = outcome(tagged(&two, &source, "first", &["a"])).await;
            let (second, too) = outcome(tagged(&two, &source, "second", &["b"])).await;
            assert!(second >= first, "{second} is older than {first}");
            if (came, too) == (LOCAL, LOCAL) && first == second {
                settled.store(first + 1, Ordering::SeqCst);
                if first == 300 {
                    return;
                }
            }
            tokio::task::yield_now().await;
        }
    };
    let both = async { tokio::join!(writes, reads) };
    tokio::time::timeout(PATIENCE, both)
        .await
        .expect("the last");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_this_process_invalidated_is_gone_whatever_others_append() {
    let server = Server::start();
    let source = AtomicU64::new(0);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    let others = {
        let two = two.clone();
        tokio::spawn(async move {
            for other in 0_u64.. {
                let tag = format!("other:{other}");
                two.invalidate([tag]).await.expect("an invalidation");
            }
        })
    };
    for round in 1..=500 {
        source.store(round, Ordering::SeqCst);
        one.invalidate(["books"]).await.expect("an invalidation");
        assert_eq!(book(&one, &source, 1).await, round);
        assert_eq!(book(&one, &source, 1).await, round);
    }
    // It was tried: others did append meanwhile, and some of the reads were hits.
    assert!(!others.is_finished());
    others.abort();
    assert!(two.stats().invalidations > 0);
    let stats = one.stats();
    assert!(stats.hits_local + stats.hits_shared > 0, "{stats}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_comes_later_knows_what_was_invalidated() {
    for way in ["tag", "namespace", "key", "all"] {
        let server = Server::start();
        let source = AtomicU64::new(1);
        let one = connect(&server.url()).await;
        assert_eq!(book(&one, &source, 1).await, 1);
        source.store(2, Ordering::SeqCst);
        match way {
            "tag" => one.invalidate(["books"]).await,
            "namespace" => one.invalidate_namespace("books").await,
            "key" => entry(book(&one, &source, 1)).invalidate().await,
            _ => one.invalidate_all().await,
        }
        .expect(way);
        drop(one);
        let late = connect(&server.url()).await;
        assert_eq!(
            now(book(&late, &source, 1)),
            (2, Outcome::Computed),
            "{way}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_up_in_flight_does_not_bring_back_what_was_invalidated() {
    static SOURCE: AtomicU64 = AtomicU64::new(1);

    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let one = connect(&server.url()).await;
    let builder = Cache::builder().url(gate.url()).prefix("shop");
    let two = builder.op_timeout(PATIENCE).build().await.expect("a cache");
    assert_eq!(book(&one, &SOURCE, 1).await, 1);
    gate.hold();
    server.reset_stats();
    let call = tokio::spawn({
        let two = two.clone();
        async move { book(&two, &SOURCE, 1).await }
    });
    let has_read = || server.commandstats().contains_key("get");
    eventually("the look-up, which finds the entry", has_read);
    SOURCE.store(2, Ordering::SeqCst);
    one.invalidate(["books"]).await.expect("an invalidation");
    gate.release();
    // It began before the invalidation was acknowledged: either value is right for it.
    call.await.expect("a call");
    eventually("the note", || now(book(&two, &SOURCE, 1)).0 == 2);
    for _ in 0..100 {
        assert_eq!(book(&two, &SOURCE, 1).await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_expired_takes_nothing_from_its_tag() {
    #[cached(ttl = Duration::from_millis(50), key = "{id}", tags = ["books"], cache = cache)]
    async fn short(cache: &Cache, id: u64) -> u64 {
        id
    }

    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    assert_eq!(book(&one, &source, 1).await, 1);
    assert_eq!(now(book(&two, &source, 1)), (1, SHARED));
    short(&one, 1).await;
    let entries = || server.cli(&["KEYS", "*:e:*"]).lines().count();
    eventually("the short entry's end", || entries() == 1);
    source.store(2, Ordering::SeqCst);
    one.invalidate(["books"]).await.expect("an invalidation");
    eventually("the note", || now(book(&two, &source, 1)).0 == 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_entrys_present_tags_apply() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    let mut present: &[&'static str] = &["a", "b"];
    assert_eq!(tagged(&one, &source, "it", present).await, 1);
    for (next, gone, stays) in [
        (&["b", "c"][..], "a", "a"),
        // One that was invalidated before.
        (&["a", "d"][..], "b", "c"),
        (&[][..], "d", "b"),
    ] {
        let newer = source.fetch_add(1, Ordering::SeqCst) + 1;
        one.invalidate([gone]).await.expect("an invalidation");
        let read = now(tagged(&one, &source, "it", next));
        assert_eq!(
            read,
            (newer, Outcome::Computed),
            "{present:?} without {gone}"
        );
        one.invalidate([stays]).await.expect("an invalidation");
        for cache in [&one, &two] {
            eventually("a hit under the new tags", || {
                let (value, came) = now(tagged(cache, &source, "it", next));
                assert_eq!(value, newer);
                came == LOCAL
            });
        }
        present = next;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_is_put_replaces_every_copy() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    assert_eq!(book(&one, &source, 1).await, 1);
    assert_eq!(now(book(&two, &source, 1)), (1, SHARED));
    let put = entry(book(&one, &source, 1)).put(5).await;
    put.expect("a put");
    assert_eq!(now(book(&one, &source, 1)), (5, LOCAL));
    eventually("the other's note", || now(book(&two, &source, 1)).0 == 5);
    assert_eq!(two.stats().computed, 0, "it read what was put");
    // One whose handle is older than an invalidation elsewhere is refused.
    let handle = entry(book(&one, &source, 1));
    two.invalidate(["books"]).await.expect("an invalidation");
    let refused = handle.put(6).await.expect_err("it is too old");
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert_eq!(book(&two, &source, 1).await, 1);
    source.store(7, Ordering::SeqCst);
    assert_eq!(entry(book(&one, &source, 1)).refresh().await, 7);
    eventually("the refreshed value", || now(book(&two, &source, 1)).0 == 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_caches_compute_each_of_300_keys_once() {
    #[cached(ttl = 1800, key = "{id}", singleflight, cache = cache)]
    async fn counted(cache: &Cache, runs: &AtomicU64, id: u64) -> u64 {
        runs.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(1)).await;
        id
    }

    let server = Server::start();
    let runs = AtomicU64::new(0);
    let url = server.url();
    let caches = futures_util::future::join_all((0..8).map(|_| connect(&url))).await;
    let calls = caches.iter().map(|cache| async {
        for id in 0..300 {
            assert_eq!(counted(cache, &runs, id).await, id);
        }
    });
    futures_util::future::join_all(calls).await;
    assert_eq!(runs.load(Ordering::SeqCst), 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_any_size_has_a_name_that_a_server_takes() {
    #[cached(ttl = 60, key = "{text}", cache = cache)]
    async fn size(cache: &Cache, text: &str) -> usize {
        text.len()
    }

    let server = Server::start();
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    for text in ["x".repeat(1 << 20), "{ }:\0\u{7f}\u{e9}".repeat(100)] {
        assert_eq!(
            outcome(size(&one, &text)).await,
            (text.len(), Outcome::Computed)
        );
        assert_eq!(outcome(size(&two, &text)).await, (text.len(), SHARED));
        let other = format!("{text}y");
        assert_eq!(
            outcome(size(&two, &other)).await,
            (other.len(), Outcome::Computed)
        );
    }
    let names = server.cli(&["KEYS", "*:e:*"]);
    assert_eq!(names.lines().count(), 4, "{names}");
    assert!(names.lines().all(|name| name.len() < 512), "{names}");
}
