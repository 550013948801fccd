//! What tests of cached code need: isolation from the process-wide cache, and time.

use std::time::Duration;

use crate::cache::Cache;
pub use crate::inspect::with_cache;

/// Moves a cache's clock forward: what was stored before ages by as much. For this cache in this
/// process only; a server keeps its own time, but this process judges what it reads by the moved
/// clock.
///
/// ```
/// # use afresh_runtime as afresh;
/// let cache = afresh::Cache::in_memory();
/// afresh::testing::advance(&cache, std::time::Duration::from_secs(60));
/// ```
pub fn advance(cache: &Cache, by: Duration) {
    cache.0.clock.advance(by);
}
