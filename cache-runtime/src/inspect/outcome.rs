//! How a call was answered, reported to whoever asked.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::scope::{self, Flag, Scoped};

/// Where a hit came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// This process.
    Local,
    /// The shared store.
    Shared,
}

/// How a call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// From the cache.
    Hit(Tier),
    /// From the cache, past its ttl, as the function's policy allows.
    Stale,
    /// By running the function's body.
    Computed,
    /// By another call's compute, in this process or another.
    Coalesced,
    /// By running the body, because the cache was bypassed or is off.
    Bypassed,
    /// By the error of the function's [`hard_timeout`](crate::Policy::hard_timeout).
    TimedOut,
    /// No cached call happened in the future.
    Uncached,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hit(Tier::Local) => "hit (local)",
            Self::Hit(Tier::Shared) => "hit (shared)",
            Self::Stale => "stale",
            Self::Computed => "computed",
            Self::Coalesced => "coalesced",
            Self::Bypassed => "bypassed",
            Self::TimedOut => "timed out",
            Self::Uncached => "uncached",
        })
    }
}

/// Where the outcome of the first cached call of a scope goes.
#[derive(Debug, Default)]
pub(crate) struct Report(Mutex<Slot>);

#[derive(Debug, Default)]
struct Slot {
    claimed: bool,
    outcome: Option<Outcome>,
}

impl Report {
    fn slot(&self) -> std::sync::MutexGuard<'_, Slot> {
        // Both fields are plain values.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, outcome: Outcome) {
        self.slot().outcome = Some(outcome);
    }
}

thread_local! {
    static WANTED: RefCell<Option<Arc<Report>>> = const { RefCell::new(None) };
}

/// The report that waits for a call's outcome. The first call of the scope takes it: its own
/// calls, made in its body, are not what was asked about.
pub(crate) fn claim_report() -> Option<Arc<Report>> {
    if !scope::is_open(Flag::OUTCOME) {
        return None;
    }
    let report = WANTED.with_borrow(Clone::clone)?;
    let first = !std::mem::replace(&mut report.slot().claimed, true);
    first.then_some(report)
}

/// Puts back what was wanted before, when a poll of the scope ends.
struct Asked {
    before: Option<Arc<Report>>,
    _flag: scope::Restore,
}

impl Drop for Asked {
    fn drop(&mut self) {
        WANTED.set(self.before.take());
    }
}

/// Awaits a call, and says how it was answered. Where the future makes several cached calls, it is
/// the first one's outcome.
///
/// ```
/// # use afresh_runtime as afresh;
/// # async fn book(id: i64) -> i64 { id }
/// # async fn example() {
/// let (book, outcome) = afresh::outcome(book(7)).await;
/// println!("{book}: {outcome}");
/// # }
/// ```
pub async fn outcome<F: Future>(call: F) -> (F::Output, Outcome) {
    let report = Arc::new(Report::default());
    let wanted = Arc::clone(&report);
    let enter = move || Asked {
        before: WANTED.replace(Some(Arc::clone(&wanted))),
        _flag: scope::open(Flag::OUTCOME),
    };
    let output = Scoped::new(call, enter).await;
    let outcome = report.slot().outcome.unwrap_or(Outcome::Uncached);
    (output, outcome)
}
