//! What all tasks of a run share: how many keys and tags there are, which of them have been met, and
//! what was counted beside the caches' own counters.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::chance::mixed;

/// Items of one group share a tag.
const GROUPS: u64 = 1_000;

/// The keys above all others whose bodies always wait.
const WAITING: u64 = 1_000_000;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) keys: u64,
    pub(crate) tags: u64,
    /// How long most values live.
    pub(crate) ttl: Duration,
    /// How long those live that have a policy.
    pub(crate) short: Duration,
    keys_met: Met,
    tags_met: Met,
    computes: AtomicU64,
    inside: AtomicU64,
    pub(crate) counts: Counts,
}

/// What the tasks did, of each kind.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Calls that ended.
    pub(crate) asked: AtomicU64,
    /// Calls that were dropped after one poll, or ended with it.
    pub(crate) dropped: AtomicU64,
    /// Calls and mutations that ended with an error.
    pub(crate) errors: AtomicU64,
    /// Invalidations asked for, in whichever way.
    pub(crate) invalidated: AtomicU64,
    pub(crate) put: AtomicU64,
    pub(crate) refreshed: AtomicU64,
    /// Crash-safe mutations.
    pub(crate) safely: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

pub(crate) fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl World {
    pub(crate) fn new(keys: u64, tags: u64, ttl: Duration, short: Duration) -> Self {
        Self {
            keys,
            tags,
            ttl,
            short,
            keys_met: Met::new(keys),
            tags_met: Met::new(tags),
            computes: AtomicU64::new(0),
            inside: AtomicU64::new(0),
            counts: Counts::default(),
        }
    }

    pub(crate) fn tag(tag: u64) -> String {
        format!("item:{tag}")
    }

    pub(crate) fn group(key: u64) -> String {
        format!("group:{}", key % GROUPS)
    }

    pub(crate) fn tags_of(&self, id: u64) -> [String; 2] {
        self.tags_met.meet(id % self.tags);
        [Self::tag(id % self.tags), Self::group(id)]
    }

    /// A key that only calls meet which are to be dropped.
    pub(crate) fn waiting(&self, chance: u64) -> u64 {
        self.keys + chance % WAITING
    }

    pub(crate) fn always_waits(&self, id: u64) -> bool {
        id >= self.keys
    }

    /// A body runs; a number by chance for it.
    pub(crate) fn compute(&self) -> u64 {
        mixed(self.computes.fetch_add(1, Ordering::Relaxed))
    }

    /// A body has called a cached function.
    pub(crate) fn asked_inside(&self) {
        add(&self.inside, 1);
    }

    /// A key is asked for.
    pub(crate) fn meet(&self, key: u64) {
        self.keys_met.meet(key);
    }

    /// How many keys and tags have been met.
    pub(crate) fn met(&self) -> (u64, u64) {
        (self.keys_met.count(), self.tags_met.count())
    }

    /// How many calls have ended, those inside bodies too.
    pub(crate) fn asked(&self) -> u64 {
        get(&self.counts.asked) + get(&self.inside)
    }
}

/// Which of so many numbers have been met: a bit for each, all of it written to at the beginning, so
/// that it does not grow.
#[derive(Debug)]
struct Met(Box<[AtomicU64]>);

impl Met {
    fn new(numbers: u64) -> Self {
        let words = numbers.div_ceil(64);
        // All bits at first, and none after: what is zero from the start is not there yet.
        let met: Box<[_]> = (0..words).map(|_| AtomicU64::new(u64::MAX)).collect();
        for word in &met {
            word.store(0, Ordering::Relaxed);
        }
        Self(met)
    }

    fn meet(&self, number: u64) {
        let (word, bit) = ((number / 64) as usize, 1 << (number % 64));
        if let Some(word) = self.0.get(word)
            && word.load(Ordering::Relaxed) & bit == 0
        {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    fn count(&self) -> u64 {
        let ones = |word: &AtomicU64| u64::from(word.load(Ordering::Relaxed).count_ones());
        self.0.iter().map(ones).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_met_is_counted_once() {
        let met = Met::new(100);
        for number in [0, 63, 64, 99, 64, 0, 1_000] {
            met.meet(number);
        }
        assert_eq!(met.count(), 4);
    }
}
