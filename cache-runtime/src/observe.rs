//! What a cache tells about itself: counters, events for an observer, and `tracing` events for
//! faults. It counts and reports; it decides nothing.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;

/// Something worth telling an [`Observer`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A fault that the callers did not see: they computed instead.
    Fault {
        /// What the cache was doing.
        doing: &'static str,
        /// What went wrong.
        error: &'a Error,
    },
    /// An invalidation was acknowledged.
    Invalidated {
        /// Its position in the log.
        version: u64,
        /// How many tags it named, implicit ones included.
        tags: usize,
    },
    /// An invalidation could not be acknowledged; it is kept and tried again. One that a log has
    /// acknowledged and that is made once more in the log followed since is in the gauge of what is
    /// owed meanwhile, and is not told as an event.
    Owed {
        /// How many tags are owed now.
        tags: usize,
    },
    /// Invalidations that were owed have been acknowledged.
    Settled {
        /// The position in the log of the last of them.
        version: u64,
    },
    /// A call got a value past its ttl, as its function's policy allows.
    Stale {
        /// The function's name.
        function: &'static str,
        /// Why it got no fresh one.
        why: StaleReason,
    },
    /// A background compute has brought a new value, and it is stored.
    Refreshed {
        /// The function's name.
        function: &'static str,
        /// Whether the value before was still fresh.
        ahead: bool,
    },
    /// A background compute has failed, or taken too long: the next one waits for the backoff.
    RefreshFailed {
        /// The function's name.
        function: &'static str,
    },
    /// There was no room for a background compute: see [`max_background`](crate::Builder::max_background).
    RefreshSkipped {
        /// The function's name.
        function: &'static str,
    },
    /// A call has waited as long as a timeout of its function's policy, and was answered by that.
    TimeoutPassed {
        /// The function's name.
        function: &'static str,
        /// Whether it was the `hard_timeout`.
        hard: bool,
    },
    /// Background computes were given up, because the last handle on the cache was dropped or its
    /// [`shutdown`](crate::Cache::shutdown) had no more time.
    Abandoned {
        /// How many.
        computes: usize,
    },
    /// The shared store was reached, or reached again.
    Connected,
    /// The shared store was lost: calls compute until it is back.
    Disconnected,
}

/// Why a call got a value past its ttl.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StaleReason {
    /// It is within [`stale_for`](crate::Policy::stale_for): a new value is being computed, or will
    /// be.
    Refreshing,
    /// Computing a new value has failed.
    Failed,
    /// Computing has failed before, and the next try is not due: see
    /// [`backoff`](crate::Policy::backoff).
    Backoff,
    /// The [`soft_timeout`](crate::Policy::soft_timeout) has passed.
    SoftTimeout,
    /// The [`hard_timeout`](crate::Policy::hard_timeout) has passed.
    HardTimeout,
}

impl StaleReason {
    /// Of a value that is handed out without another look.
    pub(crate) fn settled(failing: bool) -> Self {
        if failing {
            Self::Backoff
        } else {
            Self::Refreshing
        }
    }
}

/// Receives a cache's [`Event`]s. Called on the path of a call or on the connection's task: it
/// must return quickly and must not block.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Observer for F {
    fn event(&self, event: &Event<'_>) {
        self(event);
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident: $label:literal,)*) => {
        /// How a cache has fared since it was made: one snapshot, each figure read on its own.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)*
            /// How many tags are still owed to the shared log: of failed invalidations, and, for a
            /// moment, of those that another log has acknowledged, once the server is another one or
            /// has lost its log. A single entry counts as two.
            pub owed: u64,
            /// How many crash-safe mutations are under way, in any process: what carries their
            /// tags is computed.
            pub marks: u64,
            /// How many computes are under way in the background.
            pub background: u64,
            /// How many values the local tier holds, current or not.
            pub local_entries: u64,
        }

        /// Everything but hits in the local tier, which have cells of their own.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> Stats {
                Stats { $($name: self.$name.get(),)* owed: 0, marks: 0, background: 0, local_entries: 0 }
            }
        }

        impl fmt::Display for Stats {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let rows = [
                    $(($label, self.$name),)*
                    ("owed tags", self.owed),
                    ("marks", self.marks),
                    ("in the background", self.background),
                    ("local entries", self.local_entries),
                ];
                let told = rows.into_iter().filter(|&(_, count)| count > 0);
                for (row, (label, count)) in told.enumerate() {
                    if row > 0 {
                        f.write_str("\n")?;
                    }
                    write!(f, "{label:<20}{count:>12}")?;
                }
                Ok(())
            }
        }
    };
}

counters! {
    /// Calls answered by the local tier.
    hits_local: "hits, local",
    /// Calls answered by the shared tier.
    hits_shared: "hits, shared",
    /// Calls that got a value past its ttl, as their policy allows.
    stale: "stale",
    /// Calls that ran the function's body to its end. A call that is dropped before counts as none of
    /// these kinds; one that is dropped later, while its value is being stored, as this.
    computed: "computed",
    /// Calls that got the result of another call's compute.
    coalesced: "coalesced",
    /// Calls that ran the body because the cache was bypassed.
    bypassed: "bypassed",
    /// Calls that got the error of their hard timeout.
    timed_out: "timed out",
    /// Computes that ended in the function's own error, those in the background too.
    failed: "failed computes",
    /// Background computes whose value was stored.
    refreshed: "refreshed",
    /// Those of them that brought it before the value before was stale.
    refreshed_ahead: "refreshed ahead",
    /// Background computes that failed, or took too long.
    failed_refreshes: "failed refreshes",
    /// Background computes that were not begun, or not gone on with, for want of room.
    skipped_refreshes: "skipped refreshes",
    /// Times that a call waited as long as its soft timeout, and got a value past its ttl.
    soft_timeouts: "soft timeouts",
    /// Times that a call waited as long as its hard timeout.
    hard_timeouts: "hard timeouts",
    /// Values stored, in either tier. Where the call was dropped on the way to the shared tier, it is
    /// not known whether its value is.
    stored: "stored",
    /// Values that were not stored: `store_if`, a ttl of zero, too large, or not encodable.
    not_stored: "not stored",
    /// Fills refused because their lease was lost or a newer entry was there.
    refused: "refused fills",
    /// Invalidations acknowledged.
    invalidations: "invalidations",
    /// Crash-safe mutations that ran without a mark, because it could not be placed.
    unguarded: "unguarded",
    /// Waits for another's compute that ended without it; the caller computed alone.
    wait_timeouts: "wait timeouts",
    /// Operations on the shared tier that failed or took too long.
    store_errors: "store errors",
    /// Stored bytes that could not be read: truncated, damaged, or of another type or key.
    unreadable: "unreadable entries",
}

/// One counter, padded to a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many threads have a cell of their own.
const CELLS: usize = 64;

/// Counts local hits: one cell per thread, so that a hit writes to no line that others write to.
#[derive(Debug)]
pub(crate) struct HitCounter {
    cells: Box<[Counter]>,
    /// For the threads beyond the first ones.
    shared: Counter,
}

impl HitCounter {
    pub(crate) fn new() -> Self {
        let cells = (0..CELLS).map(|_| Counter::default()).collect();
        Self {
            cells,
            shared: Counter::default(),
        }
    }

    #[inline]
    pub(crate) fn add(&self) {
        match self.cells.get(Place::of_this_thread()) {
            // This thread alone writes here while it lives: no locked instruction is needed.
            Some(Counter(cell)) => {
                cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            }
            None => self.shared.add(),
        }
    }

    pub(crate) fn get(&self) -> u64 {
        self.cells.iter().map(Counter::get).sum::<u64>() + self.shared.get()
    }
}

/// A thread's place among the cells, given back when the thread ends.
struct Place(usize);

/// Places given back, and the first one never given.
static PLACES: Mutex<(Vec<usize>, usize)> = Mutex::new((Vec::new(), 0));

impl Place {
    fn take() -> Self {
        // Taken once per thread, at its first hit.
        let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.0.pop().unwrap_or_else(|| {
            places.1 += 1;
            places.1 - 1
        });
        Self(place)
    }

    #[inline]
    fn of_this_thread() -> usize {
        thread_local!(static PLACE: Place = Place::take());
        // While the thread's locals are being destroyed, it counts in the shared cell.
        PLACE.try_with(|place| place.0).unwrap_or(usize::MAX)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        PLACES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .push(self.0);
    }
}

/// The counters of one cache, and who else wants to know.
pub(crate) struct Reporter {
    pub(crate) hits: HitCounter,
    pub(crate) counters: Counters,
    observer: Option<Arc<dyn Observer>>,
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter")
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl Reporter {
    pub(crate) fn new(observer: Option<Arc<dyn Observer>>) -> Self {
        Self {
            hits: HitCounter::new(),
            counters: Counters::default(),
            observer,
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.counters.snapshot();
        stats.hits_local = self.hits.get();
        stats
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        let Some(observer) = &self.observer else {
            return;
        };
        // Events are told from destructors and from the connection's task: an observer that panics
        // there would take the process, or the connection, with it.
        if catch_unwind(AssertUnwindSafe(|| observer.event(event))).is_err() {
            tracing::error!(target: "afresh", ?event, "the observer panicked");
        }
    }

    /// A call got a value past its ttl.
    #[cold]
    pub(crate) fn stale(&self, function: &'static str, why: StaleReason) {
        self.counters.stale.add();
        self.tell(&Event::Stale { function, why });
    }

    /// A fault that nobody saw: a call computed instead, or what failed is tried again.
    pub(crate) fn fault(&self, doing: &'static str, error: &Error) {
        tracing::debug!(target: "afresh", %error, "{doing} failed");
        self.tell(&Event::Fault { doing, error });
    }

    /// A fault that stays until someone changes something.
    pub(crate) fn misuse(&self, doing: &'static str, error: &Error) {
        tracing::error!(target: "afresh", %error, "{doing}");
        self.tell(&Event::Fault { doing, error });
    }
}
