//! What calls hold while they are under way, counted: for this project's own tests, which look for
//! what is left of calls that were dropped. What a user may count is in `Stats`.

use crate::cache::Cache;
use crate::flight;

/// What there is of each at one moment: of a cache that nobody uses, nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Flights under way.
    pub flights: usize,
    /// Flights whose bodies wait for others, in all caches of this process.
    pub waits: usize,
    /// Leases that are held or bid for.
    pub leases: usize,
    /// Leases of others that are watched.
    pub watched: usize,
    /// Computes in the background.
    pub background: usize,
    /// What the shared store is still to be told, and nobody waits for.
    pub errands: usize,
    /// Invalidations that are owed.
    pub debts: usize,
    /// Marks that are kept standing.
    pub marks: usize,
}

/// Counts what is under way in a cache.
#[must_use]
pub fn left(cache: &Cache) -> Left {
    let inner = &cache.0;
    let unfinished = inner
        .shared
        .as_ref()
        .map(|shared| shared.unfinished())
        .unwrap_or_default();
    Left {
        flights: inner.flights.len() + inner.flights_sync.len(),
        waits: flight::waiting(),
        leases: inner.leases.len(),
        watched: unfinished.watched,
        background: inner.background.len(),
        errands: unfinished.errands,
        debts: unfinished.debts,
        marks: unfinished.marks,
    }
}
