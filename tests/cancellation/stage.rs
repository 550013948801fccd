//! One attempt: two caches, a source and a key; what was counted before; and who else is at work.
//! What must hold when a future has been dropped here is in `checks`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use afresh::testing::{ManualClock, OperationKind, Store, left};
use afresh::{Cache, Consistency, Stats};
use tokio::task::JoinHandle;

use crate::harness::{Boxed, Local};
use crate::shop::Source;

/// A call of a cached function, as it is made to look at what is there.
pub(crate) type Read = fn(&Cache, &Source, u64) -> Boxed<u64>;

/// A future that is dropped everywhere.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    /// What is there before.
    pub(crate) before: fn(Rc<Stage>, Read) -> Local<()>,
    pub(crate) run: fn(&Stage) -> Boxed<()>,
    /// What others do while it waits; told each time, and once more where that seems not to end.
    pub(crate) goes_on: fn(&Stage, bool),
    /// How the entry that it is about is read.
    pub(crate) read: Read,
    pub(crate) does: Does,
    /// How many cached calls it makes, with those in bodies.
    pub(crate) calls: u64,
    /// At how many awaits it is dropped at least: its own code's, and one for each operation.
    pub(crate) awaits: usize,
    pub(crate) operations: usize,
    /// Whether something goes on in the background when it is over.
    pub(crate) behind: bool,
    /// Whether what is read is stored.
    pub(crate) stores: bool,
}

/// What a future does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    Reads,
    /// It changes the source, and invalidates what has been read from it.
    Changes,
    /// It invalidates what has been read, where it is not allowed to end.
    GivesUp,
    /// It stores what is in the source by now in the place of what was there.
    Replaces,
}

/// What the caches are on.
pub(crate) trait Backend {
    /// Two caches that share entries: two processes, as it were. The second is `Strict`.
    async fn caches(&self) -> [Cache; 2];

    /// Whether the two are one.
    const ALONE: bool = false;

    /// How many clocks they have.
    const CLOCKS: usize = 1;

    /// How many polls one operation takes at least.
    const TURNS: usize;

    /// Whether operations fail: then more or less is stored than was meant to be.
    const LOSES: bool = false;

    /// Checks what is left in the store, which nobody uses.
    fn check(&self) {}
}

/// Each attempt has caches of its own.
pub(crate) struct Memory;

impl Backend for Memory {
    async fn caches(&self) -> [Cache; 2] {
        let builder = Cache::builder().clock(&ManualClock::new());
        let cache = builder.build().await.expect("a cache");
        [cache.clone(), cache]
    }

    const ALONE: bool = true;
    const TURNS: usize = 0;
}

/// Each attempt has a store of its own, whose operations wait twice.
pub(crate) struct Simulated(pub(crate) Consistency);

impl Backend for Simulated {
    async fn caches(&self) -> [Cache; 2] {
        let store = Store::with_clock(&ManualClock::new());
        store.take_turns();
        let one = store.builder().consistency(self.0).build();
        let two = store.builder().consistency(Consistency::Strict).build();
        [one.await.expect("a cache"), two.await.expect("a cache")]
    }

    const TURNS: usize = 2;
}

/// The same; and of the first operation of this kind, the reply is lost.
pub(crate) struct Losing(pub(crate) OperationKind);

impl Backend for Losing {
    async fn caches(&self) -> [Cache; 2] {
        let store = Store::with_clock(&ManualClock::new());
        store.take_turns();
        store.lose_reply(self.0, 1);
        let two = store.builder().consistency(Consistency::Strict).build();
        [store.cache(), two.await.expect("a cache")]
    }

    const TURNS: usize = 2;
    const LOSES: bool = true;
}

/// Who else is at work.
pub(crate) type Companion = JoinHandle<u64>;

pub(crate) struct Stage {
    pub(crate) one: Cache,
    pub(crate) two: Cache,
    /// Whether the two are one.
    alone: bool,
    pub(crate) source: Source,
    pub(crate) id: u64,
    pub(crate) companion: RefCell<Option<Companion>>,
    /// How many calls have returned.
    pub(crate) returned: Cell<u64>,
    /// How many were dropped.
    pub(crate) dropped: Cell<u64>,
}

impl Stage {
    pub(crate) fn new<B: Backend>(caches: [Cache; 2], id: u64) -> Self {
        let source = Source::new(caches.iter().take(B::CLOCKS).cloned().collect());
        let [one, two] = caches;
        Self {
            one,
            two,
            alone: B::ALONE,
            source,
            id,
            companion: RefCell::default(),
            returned: Cell::default(),
            dropped: Cell::default(),
        }
    }

    /// What a future takes along.
    pub(crate) fn parts(&self) -> (Cache, Source, u64) {
        (self.one.clone(), self.source.clone(), self.id)
    }

    pub(crate) async fn read(&self, read: Read, cache: &Cache) -> u64 {
        let value = read(cache, &self.source, self.id).await;
        self.returned.set(self.returned.get() + 1);
        value
    }

    /// Somebody else makes this call.
    pub(crate) fn accompany<F: Future<Output = u64> + Send + 'static>(&self, call: F) {
        let before = self.companion.replace(Some(tokio::spawn(call)));
        assert!(before.is_none(), "one is enough");
    }

    /// The caches, each once.
    fn caches(&self) -> impl Iterator<Item = &Cache> {
        let two = (!self.alone).then_some(&self.two);
        std::iter::once(&self.one).chain(two)
    }

    pub(crate) fn stats(&self) -> Vec<Stats> {
        self.caches().map(Cache::stats).collect()
    }

    /// One figure of all caches.
    pub(crate) fn sum(&self, figure: impl Fn(&Stats) -> u64) -> u64 {
        self.stats().iter().map(figure).sum()
    }

    pub(crate) fn left(&self) -> Vec<afresh::testing::Left> {
        self.caches().map(left).collect()
    }
}
