//! What each consistency promises to who reads while others invalidate, over one connection and
//! over several; what the proof costs; how silence ends the trust; and how a cache ends. Which
//! flights may be joined is in `joining.rs`, what a damaged log does in `shared_log.rs`.
#![cfg(feature = "redis")]

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use afresh::{
    Cache, Consistency, ErrorKind, Event, Outcome, Tier, cached, entry, invalidates, outcome,
    testing,
};
use afresh_test_support::{PATIENCE, ReplyGate, Server, Stop, eventually};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};

const SHARED: Outcome = Outcome::Hit(Tier::Shared);
const LOCAL: Outcome = Outcome::Hit(Tier::Local);
const CONNECTIONS: [usize; 2] = [1, 4];
/// How long the view is believed after the last sign of life.
const TRUST: Duration = Duration::from_secs(2);

#[cached(ttl = 1800, key = "{id}", tags = ["books"], cache = cache)]
async fn plain(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

#[cached(ttl = 1800, key = "{id}", tags = ["books"], singleflight, cache = cache)]
async fn flown(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

#[cached(ttl = 1800, key = "{id}", tags = ["books"], local, cache = cache)]
async fn kept(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

#[cached(ttl = 1800, key = "{id}", tags = ["books"], local, singleflight, cache = cache)]
async fn kept_flown(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

/// Which of the functions above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Flown,
    Kept,
    KeptFlown,
}

const KINDS: [Kind; 4] = [Kind::Plain, Kind::Flown, Kind::Kept, Kind::KeptFlown];

async fn read(kind: Kind, cache: &Cache, source: &AtomicU64, id: u64) -> (u64, Outcome) {
    match kind {
        Kind::Plain => outcome(plain(cache, source, id)).await,
        Kind::Flown => outcome(flown(cache, source, id)).await,
        Kind::Kept => outcome(kept(cache, source, id)).await,
        Kind::KeptFlown => outcome(kept_flown(cache, source, id)).await,
    }
}

async fn peek(kind: Kind, cache: &Cache, source: &AtomicU64) -> Option<u64> {
    let peeked = match kind {
        Kind::Plain => entry(plain(cache, source, 1)).peek().await,
        Kind::Flown => entry(flown(cache, source, 1)).peek().await,
        Kind::Kept => entry(kept(cache, source, 1)).peek().await,
        Kind::KeptFlown => entry(kept_flown(cache, source, 1)).peek().await,
    };
    peeked.expect("a look")
}

/// A server, one who changes what is read, and one who reads it through a gate.
struct Pair {
    server: Server,
    gate: ReplyGate,
    writer: Cache,
    reader: Cache,
    source: AtomicU64,
}

impl Pair {
    /// The reader waits for each answer as long as it takes.
    async fn patient(consistency: Consistency, connections: usize) -> Self {
        Self::start(consistency, connections, PATIENCE).await
    }

    /// The reader waits for an answer as long as it does where nothing is said.
    async fn usual(consistency: Consistency, connections: usize) -> Self {
        Self::start(consistency, connections, Duration::from_millis(250)).await
    }

    async fn start(consistency: Consistency, connections: usize, wait: Duration) -> Self {
        let server = Server::start();
        let gate = ReplyGate::before(&server);
        let writer = Cache::builder().url(server.url()).prefix("shop");
        let writer = writer.op_timeout(PATIENCE).build();
        let writer = writer.await.expect("a cache");
        let reader = Cache::builder()
            .url(gate.url())
            .prefix("shop")
            .consistency(consistency)
            .connections(connections)
            .op_timeout(wait);
        let reader = reader.build().await.expect("a cache");
        let source = AtomicU64::new(0);
        Self {
            server,
            gate,
            writer,
            reader,
            source,
        }
    }

    async fn read(&self, kind: Kind) -> (u64, Outcome) {
        read(kind, &self.reader, &self.source, 1).await
    }

    /// The same, from a closure that cannot await.
    fn now(&self, kind: Kind) -> (u64, Outcome) {
        tokio::task::block_in_place(|| Handle::current().block_on(self.read(kind)))
    }

    /// Changes what is read; acknowledged when this returns. Returns what is read from now on.
    async fn change(&self) -> u64 {
        let new = self.source.fetch_add(1, Ordering::SeqCst) + 1;
        let invalidated = self.writer.invalidate(["books"]).await;
        invalidated.expect("an invalidation");
        new
    }

    /// Waits until the reader has a copy of its own, and serves it.
    fn await_copy(&self, kind: Kind) {
        let value = self.source.load(Ordering::SeqCst);
        eventually("a copy", || self.now(kind) == (value, LOCAL));
    }

    /// The same, of everything.
    fn await_copies(&self) {
        for kind in KINDS {
            self.await_copy(kind);
        }
    }
}

/// Polls once; says whether it waits.
fn waits<F: Future + Unpin>(call: &mut F) -> bool {
    call.now_or_never().is_none()
}

/// What hangs, fails.
async fn soon<F: Future>(call: F) -> F::Output {
    tokio::time::timeout(PATIENCE, call)
        .await
        .expect("it hangs")
}

fn count(server: &Server, command: &str) -> u64 {
    server.commandstats().get(command).copied().unwrap_or(0)
}

/// How many barriers the server has answered, give or take one. A heartbeat has the same write
/// beside its `TIME`, a catch-up beside its `XRANGE`; the counts may be set to zero, or read, in
/// the midst of either.
fn barriers(server: &Server) -> u64 {
    let stats = server.commandstats();
    let of = |command: &str| stats.get(command).copied().unwrap_or(0);
    of("hdel").saturating_sub(of("time") + of("xrange"))
}

// The note of an invalidation is held back.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_read_waits_for_a_note_that_is_late() {
    for connections in CONNECTIONS {
        let pair = Pair::patient(Consistency::Strict, connections).await;
        for kind in KINDS {
            pair.await_copy(kind);
            pair.gate.hold();
            let new = pair.change().await;
            let mut call = Box::pin(pair.read(kind));
            assert!(waits(&mut call), "{kind:?}");
            // Time for whatever could answer it but the gate.
            pair.server.cli(&["PING"]);
            assert!(waits(&mut call), "{kind:?}");
            pair.gate.release();
            assert_eq!(soon(call).await, (new, Outcome::Computed), "{kind:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_peek_waits_for_a_note_that_is_late() {
    for connections in CONNECTIONS {
        let pair = Pair::patient(Consistency::Strict, connections).await;
        for kind in KINDS {
            pair.await_copy(kind);
            pair.gate.hold();
            let new = pair.change().await;
            let mut look = Box::pin(peek(kind, &pair.reader, &pair.source));
            assert!(waits(&mut look), "{kind:?}");
            pair.gate.release();
            assert_eq!(soon(look).await, None, "{kind:?}");
            pair.await_copy(kind);
            let look = peek(kind, &pair.reader, &pair.source);
            assert_eq!(soon(look).await, Some(new), "{kind:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bounded_read_goes_on_from_its_copy_until_the_note_comes() {
    for connections in CONNECTIONS {
        let pair = Pair::patient(Consistency::Bounded, connections).await;
        for kind in KINDS {
            let mut old = 0;
            // On a machine that stands still for a second, the copy may not be believed by then.
            eventually("a read of a copy that is stale", || {
                pair.await_copy(kind);
                old = pair.source.load(Ordering::SeqCst);
                pair.gate.hold();
                tokio::task::block_in_place(|| Handle::current().block_on(pair.change()));
                let read = Box::pin(pair.read(kind)).now_or_never();
                pair.gate.release();
                read == Some((old, LOCAL))
            });
            eventually("the note", || pair.now(kind).0 == old + 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_read_is_never_older_than_an_invalidation_elsewhere() {
    for connections in CONNECTIONS {
        let pair = Pair::patient(Consistency::Strict, connections).await;
        let noise = tokio::spawn({
            let writer = pair.writer.clone();
            async move {
                for other in 0_u64.. {
                    let tag = format!("other:{other}");
                    writer.invalidate([tag]).await.expect("an invalidation");
                }
            }
        });
        let mut copies = BTreeMap::new();
        for round in 1..=200 {
            assert_eq!(pair.change().await, round);
            for kind in KINDS {
                assert_eq!(pair.read(kind).await.0, round, "{kind:?}");
                let (value, came) = pair.read(kind).await;
                assert_eq!(value, round, "{kind:?}");
                *copies.entry(format!("{kind:?}")).or_insert(0) += u64::from(came == LOCAL);
            }
        }
        assert!(!noise.is_finished());
        noise.abort();
        // It was tried: there were copies to be served.
        assert_eq!(copies.len(), KINDS.len());
        assert!(copies.values().all(|&local| local > 0), "{copies:?}");
    }
}

// The server is gone.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strict_serves_nothing_while_the_server_is_gone() {
    for connections in CONNECTIONS {
        let pair = Pair::usual(Consistency::Strict, connections).await;
        pair.await_copies();
        pair.server.stop(Stop::Kill);
        for value in 1..5 {
            pair.source.store(value, Ordering::SeqCst);
            for kind in KINDS {
                assert_eq!(
                    pair.read(kind).await,
                    (value, Outcome::Computed),
                    "{kind:?}"
                );
                assert_eq!(peek(kind, &pair.reader, &pair.source).await, None);
            }
        }
        pair.server.restart();
        pair.await_copies();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strict_joins_nothing_while_the_server_is_gone() {
    #[cached(ttl = 60, key = "1", singleflight, cache = pair.reader)]
    async fn slow(pair: &Pair, runs: &AtomicU64, gate: &Semaphore) -> u64 {
        let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
        gate.acquire().await.expect("never closed").forget();
        run
    }

    let pair = Pair::usual(Consistency::Strict, 1).await;
    pair.await_copy(Kind::Plain);
    pair.server.stop(Stop::Kill);
    let (runs, gate) = (AtomicU64::new(0), Semaphore::new(0));
    let call = || outcome(slow(&pair, &runs, &gate));
    let begun = async |count| {
        while runs.load(Ordering::SeqCst) < count {
            tokio::task::yield_now().await;
        }
    };
    let second = async {
        begun(1).await;
        call().await
    };
    let open = async {
        begun(2).await;
        gate.add_permits(2);
    };
    let (one, two, ()) = soon(async { tokio::join!(call(), second, open) }).await;
    assert_eq!((one.1, two.1), (Outcome::Computed, Outcome::Computed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strict_takes_nothing_found_by_another_call_that_it_could_not_prove() {
    let pair = Pair::start(Consistency::Strict, 1, Duration::from_secs(1)).await;
    pair.await_copy(Kind::Plain);
    let mut first = Box::pin(pair.read(Kind::Flown));
    // Sends its next request, and is not polled when that has been answered.
    let mut go_on = async || {
        pair.gate.hold();
        assert!(waits(&mut first));
        pair.gate.release();
        // Its reply comes after that.
        let look = entry(plain(&pair.reader, &pair.source, 99)).peek();
        assert_eq!(soon(look).await.expect("a look"), None);
    };
    // It looks, and finds nothing.
    go_on().await;
    let stored = read(Kind::Flown, &pair.writer, &pair.source, 1).await;
    assert_eq!(stored, (0, Outcome::Computed));
    // It bids, and is granted a lease and given what is stored by then.
    go_on().await;
    // What comes from here on comes late.
    pair.gate.hold();
    let new = pair.change().await;
    let faults = pair.reader.stats().store_errors;
    let mut second = Box::pin(pair.read(Kind::Flown));
    let joined = poll_fn(|context| {
        assert!(second.as_mut().poll(context).is_pending());
        if pair.reader.stats().store_errors == faults {
            return Poll::Pending;
        }
        Poll::Ready(())
    });
    soon(joined).await;
    // The first began before the change. The second did not.
    assert_eq!((&mut first).now_or_never(), Some((0, SHARED)));
    assert!(waits(&mut second), "it takes what it cannot prove");
    pair.gate.release();
    assert_eq!(soon(second).await, (new, Outcome::Computed));
}

// What the proof costs.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_strict_copies_are_proven_by_a_few_round_trips() {
    for connections in CONNECTIONS {
        let pair = Pair::patient(Consistency::Strict, connections).await;
        for kind in KINDS {
            pair.await_copy(kind);
            pair.server.reset_stats();
            pair.gate.hold();
            let mut reads: Vec<_> = (0..1_000).map(|_| Box::pin(pair.read(kind))).collect();
            assert!(reads.iter_mut().all(waits), "{kind:?}");
            pair.gate.release();
            let reads = soon(join_all(reads)).await;
            assert!(reads.iter().all(|&(_, came)| came == LOCAL), "{kind:?}");
            // One that the first of them asked for, and one for all who asked while it was out.
            let proven = barriers(&pair.server);
            assert!(proven <= 3, "{kind:?}: {proven}");
            assert_eq!(count(&pair.server, "get"), 0, "{kind:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_look_up_in_the_server_is_its_own_proof() {
    for connections in CONNECTIONS {
        let pair = Pair::patient(Consistency::Strict, connections).await;
        for kind in [Kind::Plain, Kind::Flown] {
            let look = |id| read(kind, &pair.reader, &pair.source, id);
            pair.server.reset_stats();
            for id in 0..50 {
                assert_eq!(look(id).await, (0, Outcome::Computed), "{kind:?}");
            }
            assert_eq!(count(&pair.server, "xadd"), 0);
            assert!(barriers(&pair.server) <= 1, "{kind:?}: no more for a miss");
            for id in 100..150 {
                read(kind, &pair.writer, &pair.source, id).await;
            }
            pair.server.reset_stats();
            for id in 100..150 {
                assert_eq!(look(id).await, (0, SHARED), "{kind:?}");
            }
            assert_eq!(count(&pair.server, "get"), 50, "{kind:?}");
            assert!(barriers(&pair.server) <= 1, "{kind:?}: nor for a hit");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bounded_copies_cost_no_traffic() {
    for connections in CONNECTIONS {
        let pair = Pair::patient(Consistency::Bounded, connections).await;
        pair.await_copies();
        let monitor = pair.server.monitor();
        for kind in KINDS {
            for _ in 0..1_000 {
                assert_eq!(pair.read(kind).await, (0, LOCAL), "{kind:?}");
            }
        }
        let commands = monitor.commands();
        let words = commands.iter().map(|seen| seen.words[0].as_str());
        let words: BTreeSet<&str> = words.collect();
        // Both caches' heartbeats, and nothing else.
        let beats = BTreeSet::from(["HDEL", "HMGET", "TIME"]);
        assert!(words.is_subset(&beats), "{words:?}");
    }
}

// Silence.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_believed_for_two_seconds_of_silence_and_no_longer() {
    for connections in CONNECTIONS {
        let pair = Pair::patient(Consistency::Bounded, connections).await;
        for kind in KINDS {
            pair.await_copy(kind);
            pair.gate.hold();
            let new = pair.change().await;
            testing::advance(&pair.reader, TRUST);
            let mut call = Box::pin(pair.read(kind));
            let first = (&mut call).now_or_never();
            assert_ne!(first.map(|(_, came)| came), Some(LOCAL), "{kind:?}");
            pair.gate.release();
            let read = match first {
                Some(read) => read,
                None => soon(call).await,
            };
            assert_eq!(read, (new, Outcome::Computed), "{kind:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_silence_copies_are_served_when_they_are_proven_again() {
    for connections in CONNECTIONS {
        let pair = Pair::usual(Consistency::Bounded, connections).await;
        pair.await_copies();
        pair.gate.hold();
        let new = pair.change().await;
        for kind in KINDS {
            eventually("the end of the trust", || pair.now(kind).1 != LOCAL);
        }
        for kind in KINDS.into_iter().cycle().take(40) {
            assert_eq!(pair.read(kind).await, (new, Outcome::Computed), "{kind:?}");
        }
        pair.gate.release();
        pair.await_copies();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_ends_the_trust_too() {
    for connections in CONNECTIONS {
        let pair = Pair::usual(Consistency::Bounded, connections).await;
        pair.await_copies();
        pair.server.pause();
        for kind in KINDS {
            eventually("the end of the trust", || pair.now(kind).1 != LOCAL);
        }
        for kind in KINDS.into_iter().cycle().take(40) {
            assert_eq!(pair.read(kind).await, (0, Outcome::Computed), "{kind:?}");
        }
        pair.server.resume();
        pair.await_copies();
    }
}

// Several connections.

/// The ids of the connections that follow the log, oldest first.
fn followers(server: &Server) -> BTreeSet<u64> {
    let list = server.cli(&["CLIENT", "LIST"]);
    let word = |line: &str, name: &str| {
        let found = line.split(' ').find_map(|word| word.strip_prefix(name));
        found.map(str::to_owned)
    };
    let tracked = list
        .lines()
        .filter(|line| word(line, "flags=").is_some_and(|flags| flags.contains('t')));
    let ids = tracked.filter_map(|line| word(line, "id=")?.parse().ok());
    ids.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_spread_over_the_connections() {
    let server = Server::start();
    let source = AtomicU64::new(0);
    let cache = Cache::builder().url(server.url()).prefix("shop");
    let cache = cache.local(false).connections(4).build().await;
    let cache = cache.expect("a cache");
    plain(&cache, &source, 1).await;
    assert_eq!(followers(&server).len(), 4);
    let monitor = server.monitor();
    for _ in 0..40 {
        assert_eq!(outcome(plain(&cache, &source, 1)).await, (0, SHARED));
    }
    let mut reads = BTreeMap::new();
    for seen in monitor.commands() {
        *reads.entry(seen.from).or_insert(0) += u32::from(seen.words[0] == "GET");
    }
    reads.retain(|_, count| *count > 0);
    assert_eq!(reads.into_values().collect::<Vec<_>>(), [10; 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_killed_takes_none_of_the_promise_with_it() {
    for consistency in [Consistency::Bounded, Consistency::Strict] {
        let pair = Pair::usual(consistency, 4).await;
        for nth in 1..5 {
            pair.await_copies();
            let before = followers(&pair.server);
            assert_eq!(before.len(), 5, "the writer's is the first");
            let victim = before.iter().nth(nth).expect("one of five");
            let killed = pair
                .server
                .cli(&["CLIENT", "KILL", "ID", &victim.to_string()]);
            assert_eq!(killed, "1");
            let new = pair.change().await;
            for kind in KINDS.into_iter().cycle().take(40) {
                let (value, came) = pair.read(kind).await;
                let stale = consistency == Consistency::Bounded && came == LOCAL;
                assert!(value == new || stale, "{value} by {came:?} of {kind:?}");
            }
            for kind in KINDS {
                eventually("the change", || pair.now(kind) == (new, LOCAL));
            }
            eventually("as many connections as before", || {
                let now = followers(&pair.server);
                now.len() == 5 && !now.contains(victim)
            });
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_late_takes_none_of_the_promise_with_it() {
    for consistency in [Consistency::Bounded, Consistency::Strict] {
        for late in 0..4 {
            let pair = Pair::usual(consistency, 4).await;
            pair.await_copies();
            assert_eq!(pair.gate.connections(), 4);
            pair.gate.hold_one(late);
            for _ in 0..3 {
                let new = pair.change().await;
                for kind in KINDS {
                    let (value, came) = pair.read(kind).await;
                    let stale = consistency == Consistency::Bounded && came == LOCAL;
                    assert!(value == new || stale, "{value} by {came:?} of {kind:?}");
                }
            }
            pair.gate.release();
            pair.await_copies();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_silent_is_replaced_whatever_the_others_answer() {
    for silent in 0..4 {
        let pair = Pair::usual(Consistency::Bounded, 4).await;
        pair.await_copy(Kind::Plain);
        assert_eq!(pair.gate.connections(), 4);
        pair.gate.hold_one(silent);
        let mut id = 100;
        eventually("other connections", || {
            id += 1;
            let call = read(Kind::Plain, &pair.reader, &pair.source, id);
            tokio::task::block_in_place(|| Handle::current().block_on(call));
            pair.gate.connections() >= 8
        });
        pair.await_copy(Kind::Plain);
    }
}

// The end of a cache.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_waits_for_what_is_owed() {
    let pair = Pair::usual(Consistency::Bounded, 1).await;
    let other = &pair.writer;
    assert_eq!(plain(other, &pair.source, 1).await, 0);
    pair.source.store(1, Ordering::SeqCst);
    pair.server.pause();
    let owed = pair.reader.invalidate(["books"]).await;
    assert_eq!(owed.expect_err("no answer").kind(), ErrorKind::Timeout);
    assert_eq!(pair.reader.stats().owed, 1);
    let mut end = Box::pin(pair.reader.shutdown_within(PATIENCE));
    assert!(waits(&mut end));
    pair.server.resume();
    soon(end).await.expect("nothing is owed any more");
    assert_eq!(pair.reader.stats().owed, 0);
    let read = || {
        let call = plain(other, &pair.source, 1);
        tokio::task::block_in_place(|| Handle::current().block_on(call))
    };
    eventually("the invalidation", || read() == 1);
    soon(pair.reader.shutdown()).await.expect("nothing to do");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_says_what_is_still_owed() {
    let pair = Pair::usual(Consistency::Bounded, 1).await;
    pair.await_copy(Kind::Plain);
    pair.server.stop(Stop::Kill);
    let owed = pair.reader.invalidate(["a", "b"]).await;
    owed.expect_err("there is no server");
    for _ in 0..2 {
        let end = pair.reader.shutdown_within(Duration::from_millis(10)).await;
        let error = end.expect_err("two tags are owed");
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(error.to_string().contains("of 2 tags"), "{error}");
    }
}

#[invalidates(tags = ["books"], cache = cache)]
async fn change_and_wait(cache: &Cache, source: &AtomicU64) {
    source.fetch_add(1, Ordering::SeqCst);
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mutation_dropped_just_before_its_cache_still_invalidates() {
    let server = Server::start();
    let source = AtomicU64::new(0);
    let connect = async || {
        let builder = Cache::builder().url(server.url()).prefix("shop");
        builder.build().await.expect("a cache")
    };
    let other = connect().await;
    let read = || {
        let call = read(Kind::Plain, &other, &source, 1);
        tokio::task::block_in_place(|| Handle::current().block_on(call))
    };
    for round in 1..=20 {
        eventually("a copy", || read() == (round - 1, LOCAL));
        let cache = connect().await;
        let mut mutation = Box::pin(change_and_wait(&cache, &source));
        assert!(waits(&mut mutation));
        drop(mutation);
        drop(cache);
        eventually("the invalidation", || read().0 == round);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_that_ends_without_its_server_says_what_it_gives_up() {
    let server = Server::start();
    let source = AtomicU64::new(0);
    let faults = Arc::new(Mutex::new(Vec::new()));
    let (seen, tells) = (Arc::clone(&faults), Arc::new(Notify::new()));
    let told = Arc::clone(&tells);
    let builder = Cache::builder().url(server.url()).prefix("shop");
    let builder = builder.observer(move |event: &Event<'_>| {
        if let Event::Fault { error, .. } = event
            && error.to_string().contains("given up")
        {
            seen.lock().expect("no panic").push(error.to_string());
            told.notify_one();
        }
    });
    let cache = builder.build().await.expect("a cache");
    server.stop(Stop::Kill);
    let owed = cache.invalidate(["more"]).await;
    owed.expect_err("there is no server");
    let mut mutation = Box::pin(change_and_wait(&cache, &source));
    assert!(waits(&mut mutation));
    drop(mutation);
    drop(cache);
    soon(tells.notified()).await;
    let faults = faults.lock().expect("no panic");
    let [fault] = &faults[..] else {
        panic!("reported: {faults:?}");
    };
    assert!(fault.contains("2 tags"), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_shutdown_calls_compute_at_once() {
    for consistency in [Consistency::Bounded, Consistency::Strict] {
        for connections in CONNECTIONS {
            let pair = Pair::patient(consistency, connections).await;
            pair.await_copies();
            soon(pair.reader.shutdown()).await.expect("nothing is owed");
            for value in 1..4 {
                pair.source.store(value, Ordering::SeqCst);
                for kind in KINDS {
                    let read = Box::pin(pair.read(kind)).now_or_never();
                    assert_eq!(read, Some((value, Outcome::Computed)), "{kind:?}");
                }
            }
            let invalidated = Box::pin(pair.reader.invalidate(["books"])).now_or_never();
            let error = invalidated.expect("at once").expect_err("it is shut down");
            assert_eq!(error.kind(), ErrorKind::Store);
            eventually("the end of its connections", || {
                followers(&pair.server).len() == 1
            });
            // What came last may still have been sent, or be given up now.
            let again = pair.reader.shutdown_within(Duration::from_millis(10)).await;
            assert_eq!(again.is_err(), pair.reader.stats().owed > 0);
        }
    }
}

// How fast.

/// Shown with `--nocapture`; what it takes differs by machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_a_note_takes() {
    const ROUNDS: usize = 2_000;

    let pair = Pair::patient(Consistency::Bounded, 1).await;
    let near = Cache::builder()
        .url(pair.server.url())
        .prefix("shop")
        .build();
    let near = near.await.expect("a cache");
    let mut delays = Vec::with_capacity(ROUNDS);
    let rounds = async {
        for _ in 0..ROUNDS {
            let new = pair.change().await;
            let acknowledged = Instant::now();
            // At once, it is the copy that is stale.
            let mut call = Box::pin(read(Kind::Plain, &near, &pair.source, 1));
            let mut at_once = (&mut call).now_or_never();
            while at_once.is_some_and(|(value, _)| value != new) {
                tokio::task::yield_now().await;
                call = Box::pin(read(Kind::Plain, &near, &pair.source, 1));
                at_once = (&mut call).now_or_never();
            }
            delays.push(acknowledged.elapsed());
            let read_anew = match at_once {
                Some(read) => read,
                None => call.await,
            };
            assert_eq!(read_anew.0, new);
            assert_eq!(
                read(Kind::Plain, &near, &pair.source, 1).await,
                (new, LOCAL)
            );
        }
    };
    let enough = tokio::time::timeout(2 * PATIENCE, rounds).await;
    enough.expect("it hangs");
    delays.sort_unstable();
    let (half, most) = (delays[ROUNDS / 2], delays[ROUNDS * 99 / 100]);
    println!(
        "from an acknowledgement to the last stale copy elsewhere: p50 {half:?}, p99 {most:?}"
    );
}
