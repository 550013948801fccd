//! Which cached functions were seen to use which others: an outer value has the tags of the inner
//! ones that went into it. Observed, so it is what has happened in this process so far.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use crate::spec::Place;

/// Read by each compute that uses inner values, and written once for each pair of functions.
static SEEN: RwLock<BTreeSet<(Place, Place)>> = RwLock::new(BTreeSet::new());

/// A compute of `outer` used a value of `inner`.
pub(crate) fn inherited(outer: Place, inner: Place) {
    // The set only grows, each time by a whole pair.
    let seen = SEEN.read().unwrap_or_else(PoisonError::into_inner);
    if seen.contains(&(outer, inner)) {
        return;
    }
    drop(seen);
    let mut seen = SEEN.write().unwrap_or_else(PoisonError::into_inner);
    seen.insert((outer, inner));
}

/// All pairs so far, outer and inner.
pub(super) fn seen() -> Vec<(Place, Place)> {
    let seen = SEEN.read().unwrap_or_else(PoisonError::into_inner);
    seen.iter().copied().collect()
}
