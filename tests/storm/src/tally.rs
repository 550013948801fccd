//! What is counted: in a worker by its tasks, in the parent from what the workers tell.

use std::sync::atomic::{AtomicU64, Ordering};

use afresh::{Outcome, Tier};

/// One of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    Local,
    Shared,
    Computed,
    Coalesced,
    /// Past its ttl.
    Aged,
    /// Answered with an error: that of the body, or of its time.
    Failed,
    /// Looked up without computing.
    Peeked,
    /// Given up before its answer.
    Dropped,
    /// Runs of a body.
    Bodies,
    /// Reads of what is made of other cached values, and how many of them were hits.
    Nested,
    NestedHits,
    /// Those of it that any invalidation at all outdates.
    Wide,
    WideHits,
    /// Reads that sync functions answered, or what is made of them.
    Sync,
    SyncHits,
    Acknowledged,
    /// By sync functions.
    AcknowledgedSync,
    Unacknowledged,
    /// Changes whose invalidation was owed, and then made.
    Settled,
    Put,
    PutRefused,
    /// Reads in `Bounded` of what others had acknowledged a newer state of, in time.
    Older,
    /// The longest time after an acknowledgement elsewhere that a read in `Bounded` began and got
    /// an older state, in nanoseconds. The one figure of which the largest counts.
    Delay,
}

const COUNT: usize = Figure::Delay as usize + 1;

/// All of them, for one of the two consistencies.
#[derive(Debug, Default)]
pub(crate) struct Tally([AtomicU64; COUNT]);

impl Tally {
    pub(crate) fn add(&self, figure: Figure, count: u64) {
        self.0[figure as usize].fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn one(&self, figure: Figure) {
        self.add(figure, 1);
    }

    pub(crate) fn delay(&self, nanos: u64) {
        self.0[Figure::Delay as usize].fetch_max(nanos, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, outcome: Outcome) {
        self.one(match outcome {
            Outcome::Hit(Tier::Local) => Figure::Local,
            Outcome::Hit(_) => Figure::Shared,
            Outcome::Computed => Figure::Computed,
            Outcome::Coalesced => Figure::Coalesced,
            Outcome::Stale => Figure::Aged,
            other => panic!("a read was answered in a way it should not be: {other}"),
        });
    }

    pub(crate) fn get(&self, figure: Figure) -> u64 {
        self.0[figure as usize].load(Ordering::Relaxed)
    }

    /// Reads of every kind that were answered.
    pub(crate) fn reads(&self) -> u64 {
        use Figure::{Aged, Coalesced, Computed, Local, Peeked, Shared};
        let answered = [Local, Shared, Computed, Coalesced, Aged, Peeked];
        answered.into_iter().map(|figure| self.get(figure)).sum()
    }

    /// What has been counted since this was last called, as words.
    pub(crate) fn take(&self) -> String {
        let figures = self
            .0
            .iter()
            .map(|figure| figure.swap(0, Ordering::Relaxed));
        let figures: Vec<_> = figures.map(|figure| figure.to_string()).collect();
        figures.join(" ")
    }

    /// Adds what another took.
    pub(crate) fn give<'a>(&self, words: impl Iterator<Item = &'a str>) {
        for (at, word) in words.enumerate().take(COUNT) {
            let figure = word.parse().expect("a number");
            if at == Figure::Delay as usize {
                self.delay(figure);
            } else {
                self.0[at].fetch_add(figure, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_can_be_given() {
        let (here, there) = (Tally::default(), Tally::default());
        there.delay(9);
        there.one(Figure::Local);
        here.one(Figure::Local);
        here.delay(5);
        there.give(here.take().split(' '));
        assert_eq!(there.get(Figure::Local), 2);
        assert_eq!(there.get(Figure::Delay), 9);
        assert_eq!(here.get(Figure::Local), 0);
    }
}
