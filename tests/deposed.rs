//! A primary that was replaced and does not know it goes on acknowledging what its clients append.
//! Once they have come to the new one, what was computed there without their invalidations is
//! outdated; and a log that is merely found again is told nothing twice.
#![cfg(feature = "redis")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use afresh::{Cache, Consistency, Event, Outcome, Tier, cached, outcome};
use afresh_test_support::{ReplyGate, Sentinels, Server, until};

const LOCAL: Outcome = Outcome::Hit(Tier::Local);
const META: &str = "{shop}:afresh:1:log";
const RECORDS: &str = "{shop}:afresh:1:records";

/// A busy machine is not what is tested here.
const PATIENT: Duration = Duration::from_secs(5);

/// Reads its source, a number.
#[cached(ttl = 1800, key = "{id}", tags = ["books", "book:{id}"], cache = cache)]
async fn book(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

/// The same, and nobody invalidates it.
#[cached(ttl = 1800, key = "{id}", tags = ["maps"], cache = cache)]
async fn map(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

/// What a cache has told.
#[derive(Debug, Default)]
struct Told {
    /// How often it has been connected.
    connections: AtomicU64,
    /// How often it has said of invalidations that they were not acknowledged, or are at last.
    owed: AtomicU64,
}

impl Told {
    fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    /// Every invalidation here was acknowledged by some log when it was made.
    fn assert_nothing_was_owed(&self) {
        assert_eq!(self.owed.load(Ordering::SeqCst), 0);
    }
}

async fn connect(url: &str, consistency: Consistency) -> (Cache, Arc<Told>) {
    let told = Arc::<Told>::default();
    let tell = Arc::clone(&told);
    let builder = Cache::builder().url(url).prefix("shop");
    let builder = builder.consistency(consistency).op_timeout(PATIENT);
    let builder = builder.observer(move |event: &Event<'_>| {
        let count = match event {
            Event::Connected => &tell.connections,
            Event::Owed { .. } | Event::Settled { .. } => &tell.owed,
            _ => return,
        };
        count.fetch_add(1, Ordering::SeqCst);
    });
    (builder.build().await.expect("a cache"), told)
}

/// Changes the source and invalidates: acknowledged by whichever server the cache is led to.
async fn change(cache: &Cache, source: &AtomicU64, to: u64) {
    source.store(to, Ordering::SeqCst);
    cache.invalidate(["books"]).await.expect("an invalidation");
}

async fn read(cache: &Cache, source: &AtomicU64, id: u64) -> (u64, Outcome) {
    outcome(book(cache, source, id)).await
}

fn head(server: &Server) -> u64 {
    let head = server.cli(&["HGET", META, "head"]);
    head.parse().expect("a number")
}

/// Waits until what one stores is read by the other.
async fn await_sharing(one: &Cache, two: &Cache, source: &AtomicU64) {
    let mut id = 1_000;
    until("a hit in the server", async || {
        id += 1;
        read(one, source, id).await;
        matches!(read(two, source, id).await.1, Outcome::Hit(_))
    })
    .await;
}

/// Two servers that know nothing of each other, as the two sides of a cut do, and a proxy before the
/// first: whoever comes by it does not know that the other has taken over.
struct Cut {
    old: Server,
    new: Server,
    gate: ReplyGate,
}

impl Cut {
    fn make() -> Self {
        let (old, new) = (Server::start(), Server::start());
        let gate = ReplyGate::before(&old);
        Self { old, new, gate }
    }

    /// Leads whoever comes by the proxy to the new server, and returns as soon as it is there.
    async fn move_over(&self, told: &Told) {
        let before = told.connections();
        self.gate.lead_to(&self.new);
        until("the connection to the new server", async || {
            told.connections() > before
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replaced_primary_has_acknowledged_outdates_what_was_computed_meanwhile() {
    for consistency in [Consistency::Bounded, Consistency::Strict] {
        let cut = Cut::make();
        let source = AtomicU64::new(1);
        let (writer, told) = connect(&cut.gate.url(), consistency).await;
        let (reader, _) = connect(&cut.new.url(), Consistency::Strict).await;
        let (late, _) = connect(&cut.new.url(), Consistency::Strict).await;
        assert_eq!(read(&writer, &source, 1).await, (1, Outcome::Computed));
        for id in [1, 2] {
            assert_eq!(read(&reader, &source, id).await, (1, Outcome::Computed));
        }
        map(&reader, &source, 1).await;
        // Acknowledged here, and unheard of there.
        change(&writer, &source, 2).await;
        assert_eq!(read(&reader, &source, 1).await, (1, LOCAL));
        // So that the new one is not told for a while.
        cut.new.cli(&["ACL", "SETUSER", "tester", "-hset"]);
        cut.move_over(&told).await;
        assert_eq!(writer.stats().owed, 1);
        for id in [1, 2, 1, 2] {
            let own = read(&writer, &source, id).await;
            assert_eq!(own, (2, Outcome::Computed), "{consistency:?}");
        }
        assert_eq!(head(&cut.new), 0);
        cut.new.cli(&["ACL", "SETUSER", "tester", "+hset"]);
        until("the debt", async || writer.stats().owed == 0).await;
        // In the process that computed it, and in one that did not.
        for (cache, id) in [(&reader, 1), (&late, 2), (&reader, 2)] {
            assert_eq!(read(cache, &source, id).await.0, 2, "{consistency:?}");
        }
        let other = outcome(map(&reader, &source, 1)).await;
        assert_eq!(other, (1, LOCAL), "it is told what was named, no more");
        assert_eq!(writer.stats().invalidations, 1, "made once");
        told.assert_nothing_was_owed();
        await_sharing(&writer, &late, &source).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_tags_than_are_kept_are_everything() {
    let cut = Cut::make();
    let source = AtomicU64::new(1);
    let (writer, told) = connect(&cut.gate.url(), Consistency::Bounded).await;
    let (reader, _) = connect(&cut.new.url(), Consistency::Strict).await;
    read(&reader, &source, 1).await;
    map(&reader, &source, 1).await;
    change(&writer, &source, 2).await;
    let others = (0..5_000).map(|other| format!("other:{other}"));
    writer.invalidate(others).await.expect("an invalidation");
    cut.move_over(&told).await;
    until("the debt", async || writer.stats().owed == 0).await;
    assert_eq!(read(&reader, &source, 1).await, (2, Outcome::Computed));
    let other = outcome(map(&reader, &source, 1)).await;
    assert_eq!(other, (2, Outcome::Computed), "what is not known by name");
    assert_eq!(head(&cut.new), 1, "one record");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_found_again_is_told_nothing_twice() {
    let cut = Cut::make();
    let source = AtomicU64::new(1);
    let (writer, told) = connect(&cut.gate.url(), Consistency::Strict).await;
    change(&writer, &source, 2).await;
    assert_eq!(read(&writer, &source, 1).await.0, 2);
    let reconnect = async |to| {
        let before = told.connections();
        cut.gate.lead_to(to);
        until("a connection", async || told.connections() > before).await;
        assert_eq!(writer.stats().owed, 0);
        // Each read asks for a barrier: before the second is answered, the driver has been through
        // everything that it had to do when it was connected.
        for _ in 0..2 {
            read(&writer, &source, 1).await;
        }
    };
    reconnect(&cut.old).await;
    assert_eq!(head(&cut.old), 1);
    assert_eq!(read(&writer, &source, 1).await, (2, LOCAL));
    // Nor where it has moved on behind a gap.
    let (other, _) = connect(&cut.old.url(), Consistency::Bounded).await;
    cut.gate.refuse();
    cut.gate.cut();
    for number in 1..=3 {
        let tag = format!("other:{number}");
        other.invalidate([tag]).await.expect("an invalidation");
    }
    cut.old.cli(&["XTRIM", RECORDS, "MAXLEN", "1"]);
    cut.gate.release();
    reconnect(&cut.old).await;
    assert_eq!(head(&cut.old), 4);
    // What the new one was told once is known there.
    cut.move_over(&told).await;
    until("the debt", async || writer.stats().owed == 0).await;
    assert_eq!(head(&cut.new), 1);
    reconnect(&cut.new).await;
    assert_eq!(head(&cut.new), 1);
    // A log that is lost on the same server is another one.
    cut.new.cli(&["FLUSHALL"]);
    until("what is said to the log that follows", async || {
        read(&writer, &source, 1).await;
        cut.new.cli(&["EXISTS", META]) == "1" && head(&cut.new) == 1
    })
    .await;
    until("the debt", async || writer.stats().owed == 0).await;
    reconnect(&cut.new).await;
    assert_eq!(head(&cut.new), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_primary_that_its_sentinels_have_replaced_loses_nothing_that_its_clients_take_along() {
    let sentinels = Sentinels::start();
    let source = AtomicU64::new(1);
    let (writer, told) = connect(&sentinels.url(), Consistency::Strict).await;
    assert_eq!(read(&writer, &source, 1).await.0, 1);
    let (sentinels, old) = tokio::task::spawn_blocking(move || {
        let old = sentinels.cut_off_primary();
        (sentinels, old)
    })
    .await
    .expect("another primary");
    let (reader, _) = connect(&sentinels.url(), Consistency::Strict).await;
    assert_eq!(read(&reader, &source, 1).await, (1, Outcome::Computed));
    change(&writer, &source, 2).await;
    assert_eq!(read(&reader, &source, 1).await.0, 1, "it cannot know");
    let before = told.connections();
    assert_eq!(before, 1, "the writer has stayed where it was");
    // The old one is found, and told that it is a replica; its clients hear of that from it.
    let _sentinels = tokio::task::spawn_blocking(move || {
        sentinels.let_back(old);
        sentinels
    })
    .await
    .expect("it follows");
    until("the writer's move", async || told.connections() > before).await;
    assert_eq!(read(&writer, &source, 1).await.0, 2);
    until("the debt", async || writer.stats().owed == 0).await;
    assert_eq!(read(&reader, &source, 1).await.0, 2);
    told.assert_nothing_was_owed();
}
