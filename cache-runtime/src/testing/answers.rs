//! How calls were answered, asserted; and an end to wait for where a call leaves work behind.

use std::panic::Location;

use crate::cache::Cache;
use crate::inspect::{self, Outcome, outcome};

/// Waits until nothing goes on in the background for the entry of this call, which is not run:
/// in a test, between a call that began a refresh and the one that should see it.
///
/// ```
/// # use afresh_runtime as afresh;
/// # async fn book(id: i64) -> i64 { id }
/// # async fn example() {
/// let stale = book(7).await;
/// afresh::testing::refreshed(book(7)).await;
/// let fresh = book(7).await;
/// # }
/// ```
///
/// # Panics
///
/// If it is not a call of a cached async function.
#[track_caller]
pub fn refreshed<F: Future>(call: F) -> impl Future<Output = ()> + use<F> {
    let place = Location::caller();
    let identity = inspect::identify(call);
    async move {
        let Some(identity) = identity else {
            panic!("{place}: `refreshed` takes a call of a cached async function, not run")
        };
        let [key, _] = identity.tags;
        identity.cache.0.background.idle(Some(key)).await;
    }
}

/// Waits until nothing goes on in the background of a cache.
///
/// ```
/// # use afresh_runtime as afresh;
/// # async fn example(cache: &afresh::Cache) {
/// afresh::testing::idle(cache).await;
/// assert_eq!(cache.stats().background, 0);
/// # }
/// ```
pub async fn idle(cache: &Cache) {
    cache.0.background.idle(None).await;
}

/// Awaits a call and returns its output, having checked how it was answered.
///
/// ```
/// # use afresh_runtime as afresh;
/// # async fn book(id: i64) -> i64 { id }
/// # async fn example() {
/// use afresh::testing::assert_outcome;
/// use afresh::{Outcome, Tier};
///
/// assert_outcome(book(7), Outcome::Computed).await;
/// assert_outcome(book(7), Outcome::Hit(Tier::Local)).await;
/// # }
/// ```
///
/// # Panics
///
/// If it was answered in another way.
#[track_caller]
pub fn assert_outcome<F: Future>(
    call: F,
    expected: Outcome,
) -> impl Future<Output = F::Output> + use<F> {
    let place = Location::caller();
    async move {
        let (output, found) = outcome(call).await;
        assert!(
            found == expected,
            "{place}: the call was answered otherwise: expected `{expected}`, found `{found}`"
        );
        output
    }
}
