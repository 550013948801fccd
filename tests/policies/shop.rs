//! A source of prices that a test holds in its hand: what it returns, whether it fails, when it goes
//! on, and how often it was asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use afresh::testing::ManualClock;
use afresh::{Builder, Cache};
use tokio::sync::Semaphore;

/// What went wrong in a compute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Source,
    Cache(afresh::ErrorKind),
}

impl From<afresh::Error> for Broken {
    fn from(error: afresh::Error) -> Self {
        Self::Cache(error.kind())
    }
}

#[derive(Clone)]
pub(crate) struct Shop(Arc<Inside>);

pub(crate) struct Inside {
    pub(crate) cache: Cache,
    runs: AtomicU32,
    price: AtomicU32,
    fails: AtomicBool,
    held: AtomicBool,
    gate: Semaphore,
    reached: Semaphore,
}

impl std::ops::Deref for Shop {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl Shop {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(set: impl FnOnce(Builder) -> Builder) -> Self {
        let builder = Cache::builder().clock(&ManualClock::new());
        Self::of(set(builder).build().await.expect("a cache"))
    }

    pub(crate) fn of(cache: Cache) -> Self {
        Self(Arc::new(Inside {
            cache,
            runs: AtomicU32::new(0),
            price: AtomicU32::new(1),
            fails: AtomicBool::new(false),
            held: AtomicBool::new(false),
            gate: Semaphore::new(0),
            reached: Semaphore::new(0),
        }))
    }

    /// What a function's body does.
    pub(crate) async fn compute(&self) -> Result<u32, Broken> {
        // What it reads, it reads first.
        let price = self.price.load(Ordering::SeqCst);
        self.runs.fetch_add(1, Ordering::SeqCst);
        self.reached.add_permits(1);
        if self.held.load(Ordering::SeqCst) {
            self.gate.acquire().await.expect("an open gate").forget();
        }
        if self.fails.load(Ordering::SeqCst) {
            Err(Broken::Source)
        } else {
            Ok(price)
        }
    }

    /// As [`compute`](Self::compute), for a function that is not async.
    pub(crate) fn compute_sync(&self) -> Result<u32, Broken> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            Err(Broken::Source)
        } else {
            Ok(self.price.load(Ordering::SeqCst))
        }
    }

    pub(crate) fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }

    pub(crate) fn costs(&self, price: u32) {
        self.price.store(price, Ordering::SeqCst);
    }

    pub(crate) fn breaks(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    /// From here on, bodies wait before they return.
    pub(crate) fn hold(&self) {
        self.reached.forget_permits(usize::MAX >> 3);
        self.held.store(true, Ordering::SeqCst);
    }

    /// One body has begun since it was asked last.
    pub(crate) async fn reached(&self) {
        self.reached.acquire().await.expect("an open gate").forget();
    }

    /// So many bodies that wait go on; later ones do not wait.
    pub(crate) fn release(&self, bodies: usize) {
        self.held.store(false, Ordering::SeqCst);
        self.gate.add_permits(bodies);
    }

    pub(crate) fn pass(&self, seconds: u64) {
        afresh::testing::advance(&self.cache, Duration::from_secs(seconds));
    }
}
