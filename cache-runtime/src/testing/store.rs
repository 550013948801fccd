//! A shared store in this process, as a test holds it: its caches, what was asked of it, and what is
//! to go wrong. How it works is `shared/simulated`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{ManualClock, Operation, OperationKind};
use crate::cache::{Builder, Cache};
use crate::clock::Clock;
use crate::shared::simulated::{Gate, World};

/// A store in this process, in the place of a server: for tests of what several processes do that
/// share a cache, and of what happens when their store is slow, fails, or is away.
///
/// Each [`cache`](Self::cache) is to the others what another process is: it has a local tier, a view
/// of the log and leases of its own, and shares with them what a server would keep. Nothing happens
/// by itself here: records reach all caches before the append that made them is acknowledged, and
/// what a test says fails, waits or gets lost, so that each run goes the same way.
///
/// ```
/// # use afresh_runtime as afresh;
/// use afresh::testing::{OperationKind, Store};
/// use afresh::{Cache, Lookup};
/// use std::convert::Infallible;
/// use std::time::Duration;
///
/// async fn book(cache: &Cache) -> Result<String, Infallible> {
///     let lookup = Lookup::new("books", &7).ttl(Duration::from_secs(60)).tags(["books"]);
///     cache.get_or_compute(lookup, async { Ok("a query".to_owned()) }).await
/// }
///
/// # fn main() -> Result<(), afresh::Error> {
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
/// # runtime.unwrap().block_on(async {
/// let store = Store::new();
/// let (one, two) = (store.cache(), store.cache());
/// book(&one).await.unwrap();
/// book(&two).await.unwrap();
/// assert_eq!((one.stats().computed, two.stats().hits_shared), (1, 1));
///
/// // Invalidated by one process, it is outdated in the other.
/// one.invalidate(["books"]).await?;
/// store.fail(OperationKind::Get);
/// book(&two).await.unwrap(); // whatever fails in the store, a call computes
/// assert_eq!((two.stats().computed, two.stats().store_errors), (1, 1));
/// # Ok(())
/// # })
/// # }
/// ```
///
/// Clones are handles on one store.
#[derive(Clone, Debug)]
pub struct Store(Arc<World>);

impl Store {
    /// An empty store that goes by the machine's clock.
    #[must_use]
    pub fn new() -> Self {
        Self(World::new(Arc::new(Clock::default())))
    }

    /// An empty store that goes by this clock, as its caches do: leases last, entries expire and
    /// [delays](Self::delay) end when it is advanced.
    #[must_use]
    pub fn with_clock(clock: &ManualClock) -> Self {
        Self(World::new(Arc::clone(&clock.0)))
    }

    /// Another cache that shares this store: another process, as it were.
    #[must_use]
    pub fn cache(&self) -> Cache {
        self.builder().by_default()
    }

    /// [`cache`](Self::cache) with settings of its own.
    pub fn builder(&self) -> Builder {
        Cache::builder().store(&self.0)
    }

    /// What was asked of the store since it was made, or since [`forget`](Self::forget), in order.
    /// A cache that finds the store away does not ask.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        self.0.operations()
    }

    /// Forgets the [operations](Self::operations) so far.
    pub fn forget(&self) {
        self.0.forget();
    }

    /// From here on, each operation of this kind fails: it is not done, and who asked gets an
    /// [`ErrorKind::Store`](crate::ErrorKind::Store).
    pub fn fail(&self, kind: OperationKind) {
        self.0.fail(kind);
    }

    /// The next operations of this kind fail, so many of them.
    pub fn fail_next(&self, kind: OperationKind, count: usize) {
        self.0.fail_next(kind, count);
    }

    /// The next operations of this kind are done, so many of them, and who asked gets an error all
    /// the same: as when a connection breaks before the reply.
    pub fn lose_reply(&self, kind: OperationKind, count: usize) {
        self.0.lose_reply(kind, count);
    }

    /// From here on, each operation of this kind takes so long, by the store's clock, and is done at
    /// the end of it. One that takes as long as the cache's
    /// [`op_timeout`](Builder::op_timeout) is not done: who asked gets an
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) at that time.
    pub fn delay(&self, kind: OperationKind, delay: Duration) {
        self.0.delay(kind, delay);
    }

    /// Ends failures and delays, and has the caches try again what they owe; they do so too with
    /// each operation that succeeds. What is [held](Self::hold) stays so.
    pub fn heal(&self) {
        self.0.heal();
    }

    /// Puts the store out of reach: all caches lose it at once, and calls compute.
    pub fn disconnect(&self) {
        self.0.disconnect();
    }

    /// Brings the store back within reach, with all that it had. What is owed is made.
    pub fn reconnect(&self) {
        self.0.reconnect();
    }

    /// Holds the operations of this kind, before they are done, until the handle that this returns
    /// is [released](Held::release) or dropped. Being held takes no time: an operation is not given
    /// up for it.
    #[must_use = "what is held is let go when this is dropped"]
    pub fn hold(&self, kind: OperationKind) -> Held {
        Held {
            world: Arc::clone(&self.0),
            gate: self.0.hold(kind),
        }
    }

    /// From here on, whoever asks for an operation waits twice: before it is done, and before the
    /// answer. Each wait is over at the next turn of whoever polls. For this project's own tests, in
    /// which calls are dropped at each of them.
    #[doc(hidden)]
    pub fn take_turns(&self) {
        self.0.take_turns();
    }

    /// Holds back the records of the log on their way to the caches, until the handle is released or
    /// dropped: an invalidation is acknowledged, and caches other than the one that made it have
    /// not heard of it. One that reads from the store hears of what there is, for records and
    /// replies come in order. As with a server that has gone silent, what a cache has is believed
    /// for two seconds.
    #[must_use = "what is held is let go when this is dropped"]
    pub fn hold_notes(&self) -> Held {
        Held {
            world: Arc::clone(&self.0),
            gate: self.0.hold_notes(),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}

/// What a test holds back in a [`Store`], until this is dropped.
pub struct Held {
    world: Arc<World>,
    gate: Arc<Gate>,
}

impl Held {
    /// Waits until something has been held back.
    pub async fn reached(&self) {
        self.reached_by(1).await;
    }

    /// Waits until so many operations, or records, have been held back.
    pub async fn reached_by(&self, count: usize) {
        self.gate.reached(count).await;
    }

    /// Lets go what is held, and holds nothing any more.
    pub fn release(self) {
        drop(self);
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.gate.fmt(f)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.world.open(&self.gate);
    }
}
