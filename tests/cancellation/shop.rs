//! What calls are made of here: a source that everything is read from and changed in, and the
//! functions around it. Their leases and waits last an hour: what waits for one that was dropped, hangs.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use afresh::testing::advance;
use afresh::{Background, Cache, ErrorKind, Limited, Policy, bypass, cached, carry, invalidates};
use tokio::sync::Semaphore;

use crate::harness::ByDesign;

/// What went wrong in a body, or in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    Source,
    Cache(ErrorKind),
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl From<afresh::Error> for Failed {
    fn from(error: afresh::Error) -> Self {
        Self::Cache(error.kind())
    }
}

/// The database.
#[derive(Clone, Debug)]
pub(crate) struct Source(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    /// The caches whose clocks move with it.
    clocks: Vec<Cache>,
    value: AtomicU64,
    /// How many bodies of cached functions have returned.
    ended: AtomicU64,
    /// At which await a body is to panic, counted down; 0 for never.
    panics: AtomicUsize,
    /// How many milliseconds pass at each await of a body.
    takes: AtomicU64,
    /// Bodies that begin wait for one of these.
    go: Semaphore,
    begun: Semaphore,
}

/// As many as nobody counts.
const PLENTY: usize = usize::MAX >> 4;

impl Source {
    pub(crate) fn new(clocks: Vec<Cache>) -> Self {
        Self(Arc::new(Inside {
            clocks,
            value: AtomicU64::new(1),
            ended: AtomicU64::new(0),
            panics: AtomicUsize::new(0),
            takes: AtomicU64::new(0),
            go: Semaphore::new(PLENTY),
            begun: Semaphore::new(0),
        }))
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.value.load(Ordering::SeqCst)
    }

    pub(crate) fn ended(&self) -> u64 {
        self.0.ended.load(Ordering::SeqCst)
    }

    pub(crate) fn panics_at(&self, await_: usize) {
        self.0.panics.store(await_, Ordering::SeqCst);
    }

    pub(crate) fn takes(&self, time: Duration) {
        let time = u64::try_from(time.as_millis()).expect("a short time");
        self.0.takes.store(time, Ordering::SeqCst);
    }

    pub(crate) fn passes(&self, time: Duration) {
        for cache in &self.0.clocks {
            advance(cache, time);
        }
    }

    /// Bodies that begin from now on wait.
    pub(crate) fn hold(&self) {
        self.0.go.forget_permits(usize::MAX);
    }

    pub(crate) fn release(&self) {
        if self.0.go.available_permits() < PLENTY / 2 {
            self.0.go.add_permits(PLENTY);
        }
    }

    /// Waits until a body has begun that waits.
    pub(crate) async fn begun(&self) {
        self.0.begun.acquire().await.expect("open").forget();
    }

    /// One await of a body.
    async fn pause(&self) {
        if self.0.panics.load(Ordering::SeqCst) > 0
            && self.0.panics.fetch_sub(1, Ordering::SeqCst) == 1
        {
            resume_unwind(Box::new(ByDesign));
        }
        let takes = self.0.takes.load(Ordering::SeqCst);
        if takes > 0 {
            self.passes(Duration::from_millis(takes));
        }
        tokio::task::yield_now().await;
    }

    /// The body of a cached function: two awaits.
    pub(crate) async fn read(&self) -> u64 {
        // What it reads, it reads first.
        let value = self.value();
        if let Ok(permit) = self.0.go.try_acquire() {
            permit.forget();
        } else {
            self.0.begun.add_permits(1);
            self.0.go.acquire().await.expect("open").forget();
        }
        self.pause().await;
        self.pause().await;
        self.0.ended.fetch_add(1, Ordering::SeqCst);
        value
    }

    /// As [`read`](Self::read), for a body that fails.
    async fn fail(&self) -> Result<u64, Failed> {
        self.read().await;
        Err(Failed::Source)
    }

    /// The change itself.
    pub(crate) fn write(&self) {
        self.0.value.fetch_add(1, Ordering::SeqCst);
    }

    /// The body of a mutation: an await before the change, and one after it.
    async fn change(&self) {
        self.pause().await;
        self.write();
        self.pause().await;
    }
}

// Reads

#[cached(ttl = "20h", key = "{id}", tags = ["item:{id}"], cache = cache)]
pub(crate) async fn plain(cache: &Cache, source: &Source, id: u64) -> u64 {
    source.read().await
}

#[cached(ttl = "20h", namespace = "flown", key = "{id}", tags = ["item:{id}"], singleflight(lease = "1h", wait = "1h"), cache = cache)]
pub(crate) async fn flown(cache: &Cache, source: &Source, id: u64) -> u64 {
    source.read().await
}

#[cached(ttl = "20h", key = "{id}", result_tags = |_| ["item:{id}"], singleflight(lease = "1h", wait = "1h"), cache = cache)]
pub(crate) async fn tagged(cache: &Cache, source: &Source, id: u64) -> u64 {
    source.read().await
}

/// It carries the tags of what is in it, and none of its own.
#[cached(ttl = "20h", key = "{id}", singleflight(lease = "1h", wait = "1h"), cache = cache)]
pub(crate) async fn outer(cache: &Cache, source: &Source, id: u64) -> u64 {
    flown(cache, source, id).await
}

#[cached(ttl = "20h", key = "{id}", singleflight(lease = "1h", wait = "1h"), cache = cache)]
pub(crate) async fn carrying(cache: &Cache, source: &Source, id: u64) -> u64 {
    carry(flown(cache, source, id)).await
}

#[cached(ttl = "20h", key = "{id}", tags = ["item:{id}"], singleflight(lease = "1h", wait = "1h"))]
pub(crate) async fn by_default(_cache: &Cache, source: &Source, id: u64) -> u64 {
    source.read().await
}

#[cached(ttl = "20h", key = "{id}", tags = ["item:{id}"], singleflight(lease = "1h", wait = "1h"), cache = cache)]
pub(crate) async fn failing(cache: &Cache, source: &Source, id: u64) -> Result<u64, Failed> {
    source.fail().await
}

/// It is not stored, so that nothing but the flight keeps its callers together.
#[cached(ttl = "20h", key = "{id}", tags = ["item:{id}"], store_if = |_| false, singleflight(lease = "1h", wait = "1h"), cache = cache)]
pub(crate) async fn unstored(cache: &Cache, source: &Source, id: u64) -> u64 {
    source.read().await
}

pub(crate) async fn bypassed(cache: &Cache, source: &Source, id: u64) -> u64 {
    bypass(flown(cache, source, id)).await
}

// Policies

const HOUR: Duration = Duration::from_hours(1);

const SWR: Policy<Background> = Policy::new().stale_for(HOUR);

#[cached(ttl = "1h", key = "{id}", tags = ["item:{id}"], policy = SWR, singleflight(lease = "1h", wait = "1h"), cache = cache)]
pub(crate) async fn stale_for(cache: &Cache, source: &Source, id: u64) -> u64 {
    source.read().await
}

const AHEAD: Policy<Background> = Policy::new().refresh_ahead(0.5);

#[cached(ttl = "1h", key = "{id}", tags = ["item:{id}"], policy = AHEAD, singleflight(lease = "1h", wait = "1h"), cache = cache)]
pub(crate) async fn ahead(cache: &Cache, source: &Source, id: u64) -> u64 {
    source.read().await
}

const FAIL_SAFE: Policy = Policy::new().stale_if_error(HOUR);

#[cached(ttl = "1h", key = "{id}", tags = ["item:{id}"], policy = FAIL_SAFE, singleflight(lease = "1h", wait = "1h"), cache = cache)]
pub(crate) async fn fail_safe(cache: &Cache, source: &Source, id: u64) -> Result<u64, Failed> {
    Ok(source.read().await)
}

const SOFT: Policy<Background> = Policy::new()
    .stale_if_error(HOUR)
    .soft_timeout(Duration::from_secs(1));

#[cached(ttl = "1h", key = "{id}", tags = ["item:{id}"], policy = SOFT, singleflight(lease = "1h", wait = "1h"), cache = cache)]
pub(crate) async fn soft(cache: &Cache, source: &Source, id: u64) -> Result<u64, Failed> {
    Ok(source.read().await)
}

const HARD: Policy<Background, Limited> = Policy::new()
    .stale_for(Duration::ZERO)
    .hard_timeout(Duration::from_secs(1));

#[cached(ttl = "1h", key = "{id}", tags = ["item:{id}"], policy = HARD, singleflight(lease = "1h", wait = "1h"), cache = cache)]
pub(crate) async fn hard(cache: &Cache, source: &Source, id: u64) -> Result<u64, Failed> {
    Ok(source.read().await)
}

// Mutations

#[invalidates(tags = ["item:{id}"], cache = cache)]
pub(crate) async fn change(cache: &Cache, source: &Source, id: u64) {
    source.change().await;
}

/// What is known only from its result is not known where it is dropped.
#[invalidates(result_tags = |()| ["other:{id}"], tags = ["item:{id}"], cache = cache)]
pub(crate) async fn change_by_result(cache: &Cache, source: &Source, id: u64) {
    source.change().await;
}

#[invalidates(tags = ["item:{id}"], when = always, cache = cache)]
pub(crate) async fn change_always(cache: &Cache, source: &Source, id: u64) -> Result<(), Failed> {
    source.change().await;
    Err(Failed::Source)
}

#[invalidates(tags = ["item:{id}"], when = before, cache = cache)]
pub(crate) async fn change_before(cache: &Cache, source: &Source, id: u64) {
    source.change().await;
}

#[invalidates(entries = [flown(cache, source, *id)], cache = cache)]
pub(crate) async fn change_entry(cache: &Cache, source: &Source, id: &u64) {
    source.change().await;
}

#[invalidates(tags = ["item:{id}"], crash_safe(deadline = "1h"), cache = cache)]
pub(crate) async fn change_safely(cache: &Cache, source: &Source, id: u64) {
    source.change().await;
}

#[invalidates(tags = ["item:{id}"], crash_safe(deadline = "1h", required), cache = cache)]
pub(crate) async fn change_safely_or_not_at_all(
    cache: &Cache,
    source: &Source,
    id: u64,
) -> Result<(), Failed> {
    source.change().await;
    Ok(())
}

/// Nothing is changed: what is placed is taken away all the same.
#[invalidates(tags = ["item:{id}"], crash_safe(deadline = "1h"), cache = cache)]
pub(crate) async fn fails_safely(cache: &Cache, source: &Source, id: u64) -> Result<(), Failed> {
    source.pause().await;
    Err(Failed::Source)
}

#[invalidates(tags = ["item:{id}"], cache = cache)]
pub(crate) async fn fails(cache: &Cache, source: &Source, id: u64) -> Result<(), Failed> {
    source.pause().await;
    source.pause().await;
    Err(Failed::Source)
}
