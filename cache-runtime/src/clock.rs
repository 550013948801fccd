//! Every reading of a clock. Expiry reads a coarse monotonic clock (4 ms); trust in the local
//! view reads the wall clock as well, because the monotonic one stands still while the machine is
//! suspended. A test's clock may stand still instead (`manual`). Waiting for a time is `timer`'s.
//! Nothing here decides freshness: only a position in the log does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::chance;
use crate::sync::{Notify, OwnedNotified};

mod manual;

pub use manual::ManualClock;

/// Milliseconds since an arbitrary point in this process's past.
pub(crate) type Millis = u64;

/// The clock of one cache: the machine's, plus what a test has advanced it by; or a manual one,
/// which only that moves.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// How far a test has advanced it; the top bit is [`STILL`].
    advanced: AtomicU64,
    /// Told of each advance.
    moved: Arc<Notify>,
    /// What is left to chance where it stands still.
    sequence: chance::Sequence,
}

/// Set where the machine's clocks do not count: one load says so, and how far it was advanced.
const STILL: u64 = 1 << 63;

/// What a manual clock shows at first, on the monotonic and on the wall clock: the same in every
/// run, and no date that a value could carry by mistake.
const START: Millis = 1_000_000_000_000;

impl Clock {
    /// A clock that stands still until it is advanced.
    pub(crate) fn manual() -> Self {
        Self {
            advanced: AtomicU64::new(STILL),
            ..Self::default()
        }
    }

    /// Whether it stands still until it is advanced.
    pub(crate) fn is_manual(&self) -> bool {
        self.advanced.load(Ordering::Relaxed) & STILL != 0
    }

    /// A number above 0 and up to 1, by chance, for moments of this clock. Where it stands still, the
    /// same ones in each run: a test that repeats what it does meets the same moments.
    pub(crate) fn share(&self) -> f64 {
        if self.is_manual() {
            self.sequence.share()
        } else {
            chance::share()
        }
    }

    /// What this clock shows where one of the machine's shows this.
    #[inline]
    fn shown(&self, machine: impl FnOnce() -> Millis) -> Millis {
        let advanced = self.advanced.load(Ordering::Relaxed);
        if advanced & STILL == 0 {
            machine() + advanced
        } else {
            START + (advanced & !STILL)
        }
    }

    /// Now, for expiry. May lag by [`LAG`].
    #[inline]
    pub(crate) fn now(&self) -> Millis {
        self.shown(coarse_millis)
    }

    /// Now, without what a test has advanced this clock by.
    pub(crate) fn unadvanced(&self) -> Millis {
        if self.is_manual() {
            START
        } else {
            coarse_millis()
        }
    }

    /// Now, for trust: two clocks, since neither alone can be believed. The monotonic one stops
    /// during suspend, the wall clock can be set back; a deadline holds only while both say so.
    #[inline]
    pub(crate) fn instant(&self) -> Instant {
        Instant {
            monotonic: self.now(),
            wall: self.wall(),
        }
    }

    /// The wall clock's part of an [`instant`](Self::instant).
    #[inline]
    pub(crate) fn wall(&self) -> Millis {
        self.shown(wall_millis)
    }

    /// Moves this clock forward, for tests, and wakes whoever waits for a time of it.
    pub(crate) fn advance(&self, by: Duration) {
        let moved = |advanced: u64| {
            let sum = (advanced & !STILL).saturating_add(millis(by)).min(FURTHEST);
            Some(sum | (advanced & STILL))
        };
        // Told `Some` each time, it cannot fail.
        let _ = self
            .advanced
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
        // Waking takes a lock, and so does waiting: who looks at the clock after it has begun to
        // wait sees this advance, or is woken by it.
        self.moved.notify_waiters();
    }

    /// A future that ends at the next advance after this call.
    pub(crate) fn moved(&self) -> OwnedNotified {
        Arc::clone(&self.moved).notified_owned()
    }
}

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant {
    /// Milliseconds on the monotonic clock.
    pub(crate) monotonic: Millis,
    /// Milliseconds on the wall clock.
    pub(crate) wall: Millis,
}

/// How far [`Clock::now`] may be behind: the machine's coarse clock moves in steps.
pub(crate) const LAG: Duration = Duration::from_millis(4);

/// As far as any duration goes: sums of a clock and a few of them never overflow.
const FURTHEST: Millis = u64::MAX / 8;

/// A duration in whole milliseconds, saturating: the ttl of `Duration::MAX` never ends.
pub(crate) fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .min(FURTHEST)
}

#[cfg(target_os = "linux")]
mod machine {
    use rustix::time::{ClockId, Timespec, clock_gettime};

    fn millis(at: Timespec) -> u64 {
        at.tv_sec.cast_unsigned() * 1_000 + at.tv_nsec.cast_unsigned() / 1_000_000
    }

    #[inline]
    pub(super) fn coarse_millis() -> u64 {
        millis(clock_gettime(ClockId::MonotonicCoarse))
    }

    #[inline]
    pub(super) fn wall_millis() -> u64 {
        millis(clock_gettime(ClockId::RealtimeCoarse))
    }
}

#[cfg(not(target_os = "linux"))]
mod machine {
    use std::sync::LazyLock;
    use std::time::{Instant, SystemTime, UNIX_EPOCH};

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);

    pub(super) fn coarse_millis() -> u64 {
        START.elapsed().as_millis() as u64
    }

    pub(super) fn wall_millis() -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u64)
    }
}

use machine::{coarse_millis, wall_millis};

#[cfg(test)]
mod tests {
    use super::{Clock, FURTHEST, START};
    use std::time::Duration;

    #[test]
    fn a_manual_clock_shows_what_it_was_advanced_to() {
        let clock = Clock::manual();
        let shown = |clock: &Clock| {
            let both = clock.instant();
            assert_eq!((both.monotonic, both.wall), (clock.now(), clock.wall()));
            assert_eq!(both.monotonic, both.wall);
            assert_eq!(clock.unadvanced(), START);
            both.wall
        };
        assert_eq!(shown(&clock), START);
        std::thread::sleep(Duration::from_millis(10)); // time passes for the machine only
        assert_eq!(shown(&clock), START);
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(shown(&clock), START + 1_500);
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(shown(&clock), START + FURTHEST);
        assert!(clock.is_manual(), "however far it is advanced");
    }

    #[test]
    fn by_a_manual_clock_chance_repeats_itself() {
        let shares = |clock: Clock| [(); 8].map(|()| clock.share().to_bits());
        assert_eq!(shares(Clock::manual()), shares(Clock::manual()));
        assert_ne!(shares(Clock::default()), shares(Clock::default()));
    }

    #[test]
    fn a_running_clock_runs_and_can_be_advanced() {
        let clock = Clock::default();
        let before = (clock.now(), clock.wall(), clock.unadvanced());
        clock.advance(Duration::from_hours(1));
        assert!(clock.now() >= before.0 + 3_600_000);
        assert!(clock.wall() >= before.1 + 3_600_000);
        assert!(clock.unadvanced() < before.2 + 3_600_000);
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert!(!clock.is_manual(), "however far it is advanced");
    }
}
