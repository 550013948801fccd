//! Every reading of a clock. Expiry reads a coarse monotonic clock (4 ms); trust in the local
//! view reads the wall clock as well, because the monotonic one stands still while the machine is
//! suspended. Nothing here decides freshness: only a position in the log does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Milliseconds since an arbitrary point in this process's past.
pub(crate) type Millis = u64;

/// The clock of one cache: the machine's, plus what a test has advanced it by.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    advanced: AtomicU64,
}

impl Clock {
    /// Now, for expiry. May lag by 4 ms.
    #[inline]
    pub(crate) fn now(&self) -> Millis {
        coarse_millis() + self.advanced.load(Ordering::Relaxed)
    }

    /// Now, without what a test has advanced this clock by.
    pub(crate) fn unadvanced(&self) -> Millis {
        coarse_millis()
    }

    /// Now, for trust: two clocks, since neither alone can be believed. The monotonic one stops
    /// during suspend, the wall clock can be set back; a deadline holds only while both say so.
    #[inline]
    pub(crate) fn instant(&self) -> Instant {
        let advanced = self.advanced.load(Ordering::Relaxed);
        Instant {
            monotonic: coarse_millis() + advanced,
            wall: wall_millis() + advanced,
        }
    }

    /// The wall clock's part of an [`instant`](Self::instant).
    #[inline]
    pub(crate) fn wall(&self) -> Millis {
        wall_millis() + self.advanced.load(Ordering::Relaxed)
    }

    /// Moves this clock forward, for tests.
    pub(crate) fn advance(&self, by: Duration) {
        let advanced = self.advanced.load(Ordering::Relaxed);
        let sum = advanced.saturating_add(millis(by)).min(FURTHEST);
        self.advanced.store(sum, Ordering::Relaxed);
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
