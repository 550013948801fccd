//! Rotation of the shared log: what it keeps is bounded by what was invalidated of late, and what
//! it drops is missed, never believed.
#![cfg(feature = "redis")]

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use afresh::{Builder, Cache, Outcome, Tier, cached, outcome};
use afresh_test_support::{ReplyGate, Server, eventually};
use tokio::runtime::Handle;

const SHARED: Outcome = Outcome::Hit(Tier::Shared);

const META: &str = "{shop}:afresh:1:log";
const KEYS: [&str; 4] = [
    "{shop}:afresh:1:tags:0",
    "{shop}:afresh:1:tags:1",
    "{shop}:afresh:1:records",
    "{shop}:afresh:1:marks",
];

/// Reads its source, a number.
#[cached(ttl = 1800, key = "{id}", tags = ["book:{id}"], cache = cache)]
async fn book(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

fn builder(url: &str) -> Builder {
    Cache::builder().url(url).prefix("shop")
}

async fn connect(url: &str) -> Cache {
    builder(url).build().await.expect("a cache")
}

/// How the call of a book is answered.
fn read(cache: &Cache, source: &AtomicU64, id: u64) -> (u64, Outcome) {
    let call = outcome(book(cache, source, id));
    tokio::task::block_in_place(|| Handle::current().block_on(call))
}

fn field(server: &Server, name: &str) -> u64 {
    let value = server.cli(&["HGET", META, name]);
    value
        .parse()
        .unwrap_or_else(|_| panic!("{name} is {value}"))
}

/// Has the log rotated by one that is connected: its time has come.
fn rotate(server: &Server) {
    let before = field(server, "current");
    server.cli(&["HSET", META, "due", "0"]);
    eventually("the rotation", || field(server, "current") != before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_tags_later_the_log_is_as_small_as_it_was() {
    let server = Server::start();
    let cache = builder(&server.url()).max_ttl(Duration::from_secs(1));
    // A busy machine is not what is tested.
    let cache = cache.op_timeout(Duration::from_secs(20));
    let cache = cache.build().await.expect("a cache");
    let invalidate = |from: u64| {
        let tags = (from..from + 1_000).map(|tag| format!("book:{tag}"));
        cache.invalidate(tags)
    };
    // Once around, so that what is allocated once has been.
    invalidate(0).await.expect("an invalidation");
    let start = Memory::of(&server);
    let mut most = 0;
    for record in 1..=1_000 {
        invalidate(record * 1_000).await.expect("an invalidation");
        if record % 50 == 0 {
            most = Memory::of(&server).log.max(most);
        }
    }
    assert!(most > 10 * start.log, "{most} bytes at the most: no test");
    eventually("two rotations", || {
        KEYS[..2]
            .iter()
            .all(|key| server.cli(&["HLEN", key]) == "1")
    });
    let end = Memory::of(&server);
    assert!(end.log < 64 << 10, "the log: {end:?}, began with {start:?}");
    // It frees what is large on a thread of its own.
    eventually("the server's memory", || {
        Memory::of(&server).server < start.server + (2 << 20)
    });
    let grown = end.process.saturating_sub(start.process);
    assert!(
        grown < 32 << 20,
        "the process: {end:?}, began with {start:?}"
    );
}

/// In bytes.
#[derive(Debug)]
struct Memory {
    log: u64,
    server: u64,
    process: u64,
}

impl Memory {
    fn of(server: &Server) -> Self {
        let usage = |key: &str| {
            let usage = server.command(&[b"MEMORY", b"USAGE", key.as_bytes(), b"SAMPLES", b"0"]);
            usage.to_string().parse().unwrap_or(0_u64)
        };
        let used = server.info("memory").remove("used_memory");
        let pages = fs::read_to_string("/proc/self/statm").expect("this process's pages");
        let resident = pages.split(' ').nth(1).expect("the second of them");
        Self {
            log: KEYS.iter().copied().map(usage).sum(),
            server: used.expect("what is used").parse().expect("a number"),
            process: resident.parse::<u64>().expect("a number") * 4_096,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_dropped_with_a_hash_is_missed_and_what_came_after_it_is_hit() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    for id in [1, 2] {
        assert_eq!(read(&one, &source, id).0, 1);
    }
    source.store(2, Ordering::SeqCst);
    one.invalidate(["book:1"]).await.expect("an invalidation");
    assert_eq!(read(&one, &source, 3), (2, Outcome::Computed));
    for rotation in 1..=3 {
        rotate(&server);
        // It knows nothing by itself: it asks.
        let late = connect(&server.url()).await;
        let now = |id| read(&late, &source, id);
        if rotation == 1 {
            assert_eq!(now(2), (1, SHARED), "nothing was dropped that names it");
            assert_eq!(now(3), (2, SHARED), "stored after the invalidation");
            assert_eq!(now(1), (2, Outcome::Computed), "known from the older hash");
            // Stored anew, and invalid again by what stands in the newer one.
            assert_eq!(read(&late, &source, 4), (2, Outcome::Computed));
            late.invalidate(["book:4"]).await.expect("an invalidation");
        } else {
            assert_eq!(now(1).0, 2, "{rotation}");
            assert_eq!(now(2).0, 2, "below the floor, {rotation}");
            assert_eq!(now(4), (2, Outcome::Computed), "{rotation}");
        }
        // Those who saw it all go on.
        for cache in [&one, &two] {
            assert_eq!(read(cache, &source, 1).0, 2, "{rotation}");
        }
        late.invalidate(["book:4"]).await.expect("an invalidation");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_find_it_due_one_rotates() {
    let server = Server::start();
    let gates = [ReplyGate::before(&server), ReplyGate::before(&server)];
    let patient = |gate: &ReplyGate| builder(&gate.url()).op_timeout(Duration::from_secs(20));
    let one = patient(&gates[0]).build().await.expect("a cache");
    let two = patient(&gates[1]).build().await.expect("a cache");
    let before = field(&server, "head");
    // Both are told that it is due before either can act on it.
    gates.iter().for_each(ReplyGate::hold);
    server.cli(&["HSET", META, "due", "0"]);
    let monitor = server.monitor();
    eventually("both heartbeats", || {
        let beats = monitor.commands();
        let beats = beats.iter().filter(|seen| seen.words[0] == "HMGET");
        let from: std::collections::HashSet<_> = beats.map(|seen| &seen.from).collect();
        from.len() == 2
    });
    gates.iter().for_each(ReplyGate::release);
    eventually("both attempts", || {
        let calls = monitor.commands();
        let calls = calls.iter().filter(|seen| seen.words[0] == "EVALSHA");
        calls.count() == 2
    });
    assert_eq!(field(&server, "head"), before + 1);
    assert_eq!(field(&server, "current"), 1);
    // Both have heard of it.
    let source = AtomicU64::new(1);
    assert_eq!(read(&one, &source, 1).0, 1);
    assert_eq!(read(&two, &source, 1), (1, SHARED));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_log_rotates_and_nobody_is_the_worse_for_it() {
    let server = Server::start();
    let brief = || builder(&server.url()).max_ttl(Duration::from_secs(1));
    let one = brief().build().await.expect("a cache");
    let two = brief().build().await.expect("a cache");
    eventually("four rotations", || field(&server, "head") >= 4);
    // What rotations leave behind is trimmed by the ones after them.
    let records: u64 = server.cli(&["XLEN", KEYS[2]]).parse().expect("a number");
    assert!(records <= 4, "{records}");
    let source = AtomicU64::new(1);
    let mut id = 0;
    eventually("a hit, for as long as it lives", || {
        id += 1;
        assert_eq!(read(&one, &source, id).0, 1);
        read(&two, &source, id) == (1, SHARED)
    });
    source.store(2, Ordering::SeqCst);
    let tag = format!("book:{id}");
    one.invalidate([tag]).await.expect("an invalidation");
    eventually("the other's note", || read(&two, &source, id).0 == 2);
    for cache in [&one, &two] {
        assert_eq!(cache.stats().store_errors, 0, "{}", cache.stats());
    }
}
