//! What is cached and what it is computed from: a number that only grows, so that what is stale is
//! smaller. Readers, their bodies, which can be made to wait, and the one mutation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use afresh::{Background, Cache, Consistency, Policy, cached, invalidates};
use afresh_test_support::CommandGate;
use tokio::sync::Notify;

use crate::stage::poll;

/// The truth, and up to where it has been acknowledged that what was before is invalid.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) now: AtomicU64,
    pub(crate) acknowledged: AtomicU64,
}

/// What a body does before it returns.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// Whether the next one waits once it has read the source.
    pub(crate) waits: AtomicBool,
    /// Whether that of the next mutation waits before it changes anything, too.
    pub(crate) hesitates: AtomicBool,
    /// Whether one is waiting.
    pub(crate) entered: AtomicBool,
    pub(crate) go: Notify,
}

/// One cache, as one process would have it.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    pub(crate) cache: Cache,
    pub(crate) gate: Arc<CommandGate>,
    pub(crate) source: Arc<Source>,
    pub(crate) body: Arc<Body>,
    pub(crate) runs: Arc<AtomicU64>,
    pub(crate) consistency: Consistency,
    /// As in the source, for what this reader has invalidated itself.
    pub(crate) own: Arc<AtomicU64>,
}

impl Reader {
    /// What a read that begins now must not be older than.
    pub(crate) fn floor(&self) -> u64 {
        let floor = match self.consistency {
            Consistency::Strict => &self.source.acknowledged,
            Consistency::Bounded => &*self.own,
        };
        floor.load(Ordering::SeqCst)
    }

    async fn compute(&self) -> u64 {
        let value = self.source.now.load(Ordering::SeqCst);
        self.runs.fetch_add(1, Ordering::SeqCst);
        self.wait().await;
        value
    }

    async fn wait(&self) {
        if self.body.waits.swap(false, Ordering::SeqCst) {
            self.body.entered.store(true, Ordering::SeqCst);
            self.gate.nudge();
            self.body.go.notified().await;
            self.body.entered.store(false, Ordering::SeqCst);
        }
    }

    /// Changes the source and invalidates. Where that is not acknowledged at once, waits until it
    /// is; this reader's own reads are bound by it from here on.
    pub(crate) async fn change(&self) {
        let new = self.source.now.fetch_add(1, Ordering::SeqCst) + 1;
        let invalidated = self.cache.invalidate(["books"]).await;
        self.own.fetch_max(new, Ordering::SeqCst);
        if invalidated.is_err() {
            poll("the debt", || self.cache.stats().owed == 0).await;
        }
        self.source.acknowledged.fetch_max(new, Ordering::SeqCst);
    }

    /// The same by the mutation, whose body waits where it is told to.
    pub(crate) async fn reprice(&self) {
        let new = reprice(self).await;
        self.own.fetch_max(new, Ordering::SeqCst);
        poll("the debt", || self.cache.stats().owed == 0).await;
        self.source.acknowledged.fetch_max(new, Ordering::SeqCst);
    }
}

/// Which function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    /// With a flight and a lease.
    Flown,
    /// The same, with tags that only its value has.
    Labelled,
    /// With a lease that a body that waits has to renew.
    Renewed,
    /// With a policy: stale values are handed out, and computed anew in the background.
    Graced,
}

#[cached(ttl = 1800, key = "{id}", tags = ["books"], cache = reader.cache)]
async fn plain(reader: &Reader, id: u64) -> u64 {
    reader.compute().await
}

#[cached(ttl = 1800, key = "{id}", tags = ["books"], singleflight(lease = "20s", wait = "20s"), cache = reader.cache)]
async fn flown(reader: &Reader, id: u64) -> u64 {
    reader.compute().await
}

#[cached(ttl = 1800, key = "{id}", result_tags = |_| ["books"], singleflight(lease = "20s", wait = "20s"), cache = reader.cache)]
async fn labelled(reader: &Reader, id: u64) -> u64 {
    reader.compute().await
}

#[cached(ttl = 1800, key = "{id}", tags = ["books"], singleflight(lease = "120ms", wait = "20s"), cache = reader.cache)]
async fn renewed(reader: &Reader, id: u64) -> u64 {
    reader.compute().await
}

const GRACED: Policy<Background> = Policy::new().stale_for(Duration::from_hours(1));

#[cached(ttl = 60, key = "{id}", tags = ["books"], singleflight(lease = "20s", wait = "20s"), policy = GRACED, cache = reader.cache)]
async fn graced(reader: &Reader, id: u64) -> u64 {
    let _ = id;
    reader.compute().await
}

/// Returns what is read from its commit on. The mark stands before that: what was stored until then
/// is served to nobody any more.
#[invalidates(tags = ["books"], crash_safe(deadline = "20s"), cache = reader.cache)]
async fn reprice(reader: &Reader) -> u64 {
    if reader.body.hesitates.swap(false, Ordering::SeqCst) {
        reader.body.waits.store(true, Ordering::SeqCst);
        reader.wait().await;
        reader.body.waits.store(true, Ordering::SeqCst);
    }
    let new = reader.source.now.fetch_add(1, Ordering::SeqCst) + 1;
    if reader.cache.stats().unguarded == 0 {
        let acknowledged = &reader.source.acknowledged;
        acknowledged.fetch_max(new, Ordering::SeqCst);
    }
    reader.wait().await;
    new
}

impl Kind {
    pub(crate) async fn read(self, reader: &Reader, id: u64) -> u64 {
        match self {
            Self::Plain => plain(reader, id).await,
            Self::Flown => flown(reader, id).await,
            Self::Labelled => labelled(reader, id).await,
            Self::Renewed => renewed(reader, id).await,
            Self::Graced => graced(reader, id).await,
        }
    }

    /// What a read would find, and nothing where it would compute.
    pub(crate) async fn peek(self, reader: &Reader, id: u64) -> Option<u64> {
        let peeked = match self {
            Self::Plain => afresh::entry(plain(reader, id)).peek().await,
            Self::Flown => afresh::entry(flown(reader, id)).peek().await,
            Self::Labelled => afresh::entry(labelled(reader, id)).peek().await,
            Self::Renewed => afresh::entry(renewed(reader, id)).peek().await,
            Self::Graced => afresh::entry(graced(reader, id)).peek().await,
        };
        peeked.expect("a cached call")
    }
}

/// Stores what the source says by an entry's handle.
pub(crate) async fn put(reader: &Reader) {
    let handle = afresh::entry(plain(reader, 1));
    let value = reader.source.now.load(Ordering::SeqCst);
    // Refused where it may be older than an invalidation; without a server, an error.
    let _ = handle.put(value).await;
}

pub(crate) async fn refresh(reader: &Reader) -> u64 {
    afresh::entry(plain(reader, 1)).refresh().await
}
