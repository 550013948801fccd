//! Taking what a call stands in along to another task or thread, where nothing of it is known.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::cache::{self, Cache};
use crate::scope::{self, Bodies, Flag, Inside, Restore};

/// What a piece of code stands in: the computes whose bodies it belongs to, the default cache of a
/// test, a bypass.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    bodies: Bodies,
    cache: Option<Cache>,
    bypass: bool,
}

impl Surroundings {
    fn current() -> Self {
        Self {
            bodies: Bodies::current(),
            cache: scope::is_open(Flag::CACHE).then(|| Cache::current(None)),
            bypass: scope::is_open(Flag::BYPASS),
        }
    }

    /// For work in the background that is begun here: it belongs to no compute, and does not keep a
    /// test's cache.
    pub(crate) fn of_background() -> Self {
        Self {
            bodies: Bodies::none(),
            cache: scope::is_open(Flag::CACHE).then(|| Cache::current(None).for_background()),
            bypass: false,
        }
    }

    /// Makes them those of this thread, until dropped.
    pub(crate) fn enter(&self) -> Entered {
        let bypass = self.bypass.then(|| scope::open(Flag::BYPASS));
        let cache = self.cache.as_ref().map(Cache::enter);
        Entered {
            _inside: self.bodies.enter(),
            _cache: cache,
            _bypass: bypass,
        }
    }
}

/// Surroundings on this thread. Each guard puts back what it found, so they go in the order that is
/// opposite to how they came.
pub(crate) struct Entered {
    _inside: Inside,
    _cache: Option<cache::Entered>,
    _bypass: Option<Restore>,
}

/// Takes along into another task what is known where this is called: inside a compute, the tags of
/// the cached calls in the future go to its value, though another task makes them.
///
/// Without it, what a spawned task calls is not part of the compute that spawned it: its tags are
/// not inherited, a scope of [`bypass`](crate::bypass) or
/// [`with_cache`](crate::testing::with_cache) does not reach it, and that it waits for the very
/// compute it belongs to is found out by the bound on the wait alone. Await the task in the body: what
/// it calls later comes too late.
///
/// ```
/// # use afresh_runtime as afresh;
/// # async fn book(id: i64) -> String { String::new() }
/// # async fn page() -> String {
/// // In the body of a cached function:
/// let book = tokio::spawn(afresh::carry(book(7)));
/// # book.await.unwrap_or_default()
/// # }
/// ```
pub fn carry<F: Future>(future: F) -> Carried<F> {
    Carried {
        future,
        surroundings: Surroundings::current(),
    }
}

/// As [`carry`], for a closure that another thread runs.
///
/// ```
/// # use afresh_runtime as afresh;
/// # fn size(path: &str) -> u64 { 0 }
/// # async fn total() -> u64 {
/// // In the body of a cached function:
/// let size = tokio::task::spawn_blocking(afresh::carry_sync(|| size("Cargo.toml")));
/// # size.await.unwrap_or_default()
/// # }
/// ```
pub fn carry_sync<R>(call: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let surroundings = Surroundings::current();
    move || {
        let _inside = surroundings.enter();
        call()
    }
}

pin_project! {
    /// A future that belongs to where [`carry`] was called.
    #[must_use = "futures do nothing unless polled"]
    pub struct Carried<F> {
        #[pin]
        future: F,
        surroundings: Surroundings,
    }
}

impl<F> fmt::Debug for Carried<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").finish_non_exhaustive()
    }
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _inside = this.surroundings.enter();
        this.future.poll(cx)
    }
}
