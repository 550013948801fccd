//! The handle by which a test moves a clock that stands still otherwise. What the clock shows, and
//! who waits for it, is not here.

use std::sync::Arc;
use std::time::Duration;

use super::Clock;

/// A clock for tests: it stands still until it is advanced. A cache that was
/// [given one](crate::Builder::clock) goes by it in everything that takes time: what is stored
/// expires, and its waits end, when this clock says so and not before. What a
/// [`Policy`](crate::Policy) leaves to chance goes the same way in each run.
///
/// Clones are handles on one clock, and one clock may be given to several caches.
///
/// ```
/// # use afresh_runtime as afresh;
/// # async fn example() -> Result<(), afresh::Error> {
/// use afresh::Cache;
/// use afresh::testing::ManualClock;
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let cache = Cache::builder().clock(&clock).build().await?;
/// // A value is stored for an hour. It is there for as long as the clock stands still; after
/// clock.advance(Duration::from_secs(3_600));
/// // it has expired.
/// # drop(cache);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(pub(crate) Arc<Clock>);

impl ManualClock {
    /// A clock that stands still.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Clock::manual()))
    }

    /// Moves the clock forward. Whatever waits for a time that has come by then is woken, and goes
    /// on when it is polled next.
    pub fn advance(&self, by: Duration) {
        self.0.advance(by);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}
