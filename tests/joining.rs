//! The ways in which joining a flight could hand over a value that is older than an invalidation
//! acknowledged before the joining: each is closed by a rule of its own, in both consistencies.
//! Flights in memory are in `memory.rs`.
#![cfg(feature = "redis")]

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use afresh::{Cache, Consistency, Outcome, Tier, cached, entry, outcome, testing};
use afresh_test_support::{PATIENCE, ReplyGate, Server, eventually};
use futures_util::FutureExt;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

const LOCAL: Outcome = Outcome::Hit(Tier::Local);
const BOTH: [Consistency; 2] = [Consistency::Bounded, Consistency::Strict];
/// How long the view is believed after the last sign of life, and how old a flight may be that is
/// joined without it.
const TRUST: Duration = Duration::from_secs(2);

/// One cache that invalidates, another whose flights are joined, and a gate that bodies pass.
struct World {
    server: Server,
    gate: ReplyGate,
    writer: Cache,
    reader: Cache,
    runs: AtomicU64,
    begun: Semaphore,
    open: Semaphore,
}

type Call<'a, T> = Pin<Box<dyn Future<Output = (T, Outcome)> + 'a>>;

impl World {
    async fn start(consistency: Consistency, wait: Duration) -> Self {
        let server = Server::start();
        let gate = ReplyGate::before(&server);
        let writer = Cache::builder().url(server.url()).prefix("shop").build();
        let writer = writer.await.expect("a cache");
        let reader = Cache::builder().url(gate.url()).prefix("shop");
        let reader = reader.consistency(consistency).op_timeout(wait).build();
        let reader = reader.await.expect("a cache");
        Self {
            server,
            gate,
            writer,
            reader,
            runs: AtomicU64::new(0),
            begun: Semaphore::new(0),
            open: Semaphore::new(0),
        }
    }

    /// A body: says that it has begun, waits to be let through, returns its number.
    async fn body(&self) -> u64 {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        self.begun.add_permits(1);
        self.open.acquire().await.expect("never closed").forget();
        run
    }

    fn call(&self, kind: Kind) -> Call<'_, u64> {
        match kind {
            Kind::Shared => Box::pin(outcome(shared(self))),
            Kind::Kept => Box::pin(outcome(kept(self))),
            Kind::Signed => Box::pin(outcome(signed(self))),
            Kind::SignedKept => Box::pin(outcome(signed_kept(self))),
        }
    }

    /// Polls a call until its body has begun.
    async fn begins(&self, call: &mut Call<'_, u64>) {
        tokio::select! {
            biased;
            begun = self.begun.acquire() => begun.expect("never closed").forget(),
            ended = call => panic!("it ended before it began: {ended:?}"),
            () = tokio::time::sleep(PATIENCE) => panic!("it does not compute"),
        }
    }

    /// Whoever comes now computes for itself: the flight under way is not joined.
    async fn is_not_joined(&self, leader: Call<'_, u64>, kind: Kind) {
        let mut late = self.call(kind);
        self.begins(&mut late).await;
        self.end(leader, late).await;
    }

    async fn end(&self, leader: Call<'_, u64>, late: Call<'_, u64>) {
        self.open.add_permits(2);
        let (first, second) = soon(async { tokio::join!(leader, late) }).await;
        assert_eq!(first, (1, Outcome::Computed), "it waited already");
        assert_eq!(second, (2, Outcome::Computed));
    }

    /// Waits until the reader knows of every record there is.
    async fn settle(&self) {
        let look = || {
            let call = outcome(mark(&self.reader));
            tokio::task::block_in_place(|| Handle::current().block_on(call)).1
        };
        eventually("a copy", || look() == LOCAL);
        self.invalidate("mark").await;
        eventually("the last record", || look() != LOCAL);
    }

    async fn invalidate(&self, tag: &str) {
        let done = self.writer.invalidate([tag]).await;
        done.expect("an invalidation");
    }
}

/// Which of the functions below.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Shared,
    Kept,
    Signed,
    SignedKept,
}

const KINDS: [Kind; 2] = [Kind::Shared, Kind::Kept];

#[cached(ttl = 1800, key = "1", namespace = "n", tags = ["books", "book:1"], singleflight(lease = "1h", wait = "1h"), cache = world.reader)]
async fn shared(world: &World) -> u64 {
    world.body().await
}

#[cached(ttl = 1800, key = "1", namespace = "n", tags = ["books", "book:1"], local, singleflight(wait = "1h"), cache = world.reader)]
async fn kept(world: &World) -> u64 {
    world.body().await
}

/// Its author is known only when it has been computed.
#[cached(ttl = 1800, key = "1", result_tags = |_| ["author"], singleflight(lease = "1h", wait = "1h"), cache = world.reader)]
async fn signed(world: &World) -> u64 {
    world.body().await
}

#[cached(ttl = 1800, key = "1", result_tags = |_| ["author"], local, singleflight(wait = "1h"), cache = world.reader)]
async fn signed_kept(world: &World) -> u64 {
    world.body().await
}

#[cached(ttl = 1800, key = "mark", tags = ["mark"], cache = cache)]
async fn mark(cache: &Cache) {}

/// What hangs, fails.
async fn soon<F: Future>(call: F) -> F::Output {
    tokio::time::timeout(PATIENCE, call)
        .await
        .expect("it hangs")
}

/// Polls once; says whether it waits.
fn waits<F: Future + Unpin>(call: &mut F) -> bool {
    call.now_or_never().is_none()
}

/// Invalidates `shared` and `kept` in one of the ways there are.
async fn invalidate(world: &World, cache: &Cache, way: &str) {
    let done = match way {
        "tag" => cache.invalidate(["book:1"]).await,
        "namespace" => cache.invalidate_namespace("n").await,
        // Keys are the caches', whoever asks: the reader's own call names it.
        "key" => match entry(shared(world)).invalidate().await {
            Ok(()) => entry(kept(world)).invalidate().await,
            failed => failed,
        },
        _ => cache.invalidate_all().await,
    };
    done.expect("an invalidation");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flight_that_nothing_happened_to_is_joined() {
    for consistency in BOTH {
        for kind in KINDS {
            let world = World::start(consistency, PATIENCE).await;
            let mut leader = world.call(kind);
            world.begins(&mut leader).await;
            // Others' records, and some that name other things, are no reason not to.
            world.invalidate("other").await;
            world.settle().await;
            let mut late = world.call(kind);
            // What others ask for later is answered later: by then it has had its answers.
            for _ in 0..2 {
                assert!(waits(&mut late));
                world.settle().await;
            }
            assert!(waits(&mut late));
            world.open.add_permits(1);
            let (first, second) = soon(async { tokio::join!(leader, late) }).await;
            assert_eq!(first, (1, Outcome::Computed));
            assert_eq!(second, (1, Outcome::Coalesced), "{consistency:?} {kind:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flight_older_than_an_invalidation_here_is_not_joined() {
    for consistency in BOTH {
        for kind in KINDS {
            for way in ["tag", "namespace", "key", "all"] {
                let world = World::start(consistency, PATIENCE).await;
                let mut leader = world.call(kind);
                world.begins(&mut leader).await;
                invalidate(&world, &world.reader, way).await;
                world.is_not_joined(leader, kind).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flight_older_than_an_invalidation_elsewhere_is_not_joined() {
    for consistency in BOTH {
        for kind in KINDS {
            for way in ["tag", "namespace", "all"] {
                let world = World::start(consistency, PATIENCE).await;
                let mut leader = world.call(kind);
                world.begins(&mut leader).await;
                invalidate(&world, &world.writer, way).await;
                world.settle().await;
                world.is_not_joined(leader, kind).await;
            }
        }
    }
}

/// Nothing tells at the joining that the flight is too old: the value's own tags do, when it lands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_that_follow_from_the_value_are_judged_when_it_lands() {
    for consistency in BOTH {
        for kind in [Kind::Signed, Kind::SignedKept] {
            let world = World::start(consistency, PATIENCE).await;
            let mut leader = world.call(kind);
            world.begins(&mut leader).await;
            world.invalidate("author").await;
            world.settle().await;
            let mut late = world.call(kind);
            for _ in 0..2 {
                assert!(waits(&mut late));
                world.settle().await;
            }
            assert!(waits(&mut late));
            assert_eq!(world.runs.load(Ordering::SeqCst), 1, "it has joined");
            world.open.add_permits(2);
            let (first, second) = soon(async { tokio::join!(leader, late) }).await;
            assert_eq!(first, (1, Outcome::Computed), "it waited already");
            assert_eq!(second, (2, Outcome::Computed), "{consistency:?} {kind:?}");
        }
    }
}

/// In `Bounded` the late call may join until the note comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_strict_a_joiner_waits_for_a_note_that_is_late() {
    for kind in KINDS {
        let world = World::start(Consistency::Strict, PATIENCE).await;
        let mut leader = world.call(kind);
        world.begins(&mut leader).await;
        world.gate.hold();
        world.invalidate("books").await;
        let mut late = world.call(kind);
        assert!(waits(&mut late));
        world.gate.release();
        world.begins(&mut late).await;
        world.end(leader, late).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flight_below_the_floor_is_not_joined() {
    for consistency in BOTH {
        for kind in KINDS {
            let world = World::start(consistency, PATIENCE).await;
            let mut leader = world.call(kind);
            world.begins(&mut leader).await;
            let meta = "{shop}:afresh:1:log";
            let head: u64 = world
                .server
                .cli(&["HGET", meta, "head"])
                .parse()
                .expect("a head");
            world.invalidate("other").await;
            world.invalidate("other").await;
            // What a lost hash of tags comes to: nothing up to here can be told from stale.
            let floor = (head + 1).to_string();
            world.server.cli(&["HSET", meta, "floor", &floor]);
            world.settle().await;
            world.is_not_joined(leader, kind).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flight_of_another_log_is_not_joined() {
    for consistency in BOTH {
        for kind in KINDS {
            let world = World::start(consistency, PATIENCE).await;
            let mut leader = world.call(kind);
            world.begins(&mut leader).await;
            world.server.cli(&["FLUSHALL"]);
            // The numbers of the new log are no lower than those of the old one.
            for _ in 0..10 {
                world.invalidate("other").await;
            }
            world.settle().await;
            world.is_not_joined(leader, kind).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flight_is_not_joined_by_a_view_that_is_not_believed() {
    for consistency in BOTH {
        for kind in KINDS {
            let world = World::start(consistency, Duration::from_millis(250)).await;
            let mut leader = world.call(kind);
            world.begins(&mut leader).await;
            world.gate.hold();
            world.invalidate("books").await;
            if consistency == Consistency::Bounded {
                testing::advance(&world.reader, TRUST);
            }
            let mut late = world.call(kind);
            world.begins(&mut late).await;
            world.gate.release();
            world.end(leader, late).await;
        }
    }
}

/// A number that takes its time to be decoded, where a test says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Slow(u64);

/// Tells that a decoding has begun, and waits for the word to go on.
type Stop = (mpsc::Sender<()>, mpsc::Receiver<()>);

static STOP: Mutex<Option<Stop>> = Mutex::new(None);

impl<'de> Deserialize<'de> for Slow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(from)?;
        let stop = STOP.lock().expect("no panic").take();
        if let Some((begun, go_on)) = stop {
            begun.send(()).expect("the test waits for it");
            go_on.recv_timeout(PATIENCE).expect("a word");
        }
        Ok(Self(number))
    }
}

#[cached(ttl = 1800, key = "1", tags = ["books"], singleflight(lease = "1h", wait = "1h"), cache = cache)]
async fn slow(cache: &Cache, source: &AtomicU64) -> Slow {
    Slow(source.load(Ordering::SeqCst))
}

/// The leader finds a value, current when it looked; then comes an invalidation, then a joiner,
/// then the leader lands with what it found.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_value_that_was_found_is_judged_by_each_who_joined() {
    static SOURCE: AtomicU64 = AtomicU64::new(0);

    for consistency in BOTH {
        SOURCE.store(1, Ordering::SeqCst);
        let world = World::start(consistency, PATIENCE).await;
        let has_looked = |looks| {
            let stats = world.server.commandstats();
            stats.get("get").is_some_and(|&count| count >= looks)
        };
        world.settle().await;
        world.gate.hold();
        world.server.reset_stats();
        let reader = world.reader.clone();
        let handle = Handle::current();
        let leader =
            tokio::task::spawn_blocking(move || handle.block_on(outcome(slow(&reader, &SOURCE))));
        eventually("the leader's look-up, which finds nothing", || {
            has_looked(1)
        });
        assert_eq!(slow(&world.writer, &SOURCE).await, Slow(1));
        let (begun, begins) = mpsc::channel();
        let (go_on, goes_on) = mpsc::channel();
        *STOP.lock().expect("no panic") = Some((begun, goes_on));
        world.gate.release();
        tokio::task::block_in_place(|| begins.recv_timeout(PATIENCE)).expect("it found it");
        SOURCE.store(2, Ordering::SeqCst);
        world.invalidate("books").await;
        world.settle().await;
        let mut late = Box::pin(outcome(slow(&world.reader, &SOURCE)));
        assert!(waits(&mut late));
        // Asked for later on the same connection, so answered later.
        let other = entry(mark(&world.reader)).peek().await;
        other.expect("a look");
        assert!(waits(&mut late), "it has joined");
        go_on.send(()).expect("the leader waits for it");
        let found = soon(leader).await.expect("no panic");
        assert_eq!(found, (Slow(1), Outcome::Hit(Tier::Shared)));
        assert_eq!(soon(late).await, (Slow(2), Outcome::Computed));
    }
}
