//! A value in the local tier: what is needed to judge it, how long it is good for, and what is known
//! of a new one. Where it is kept is the map's.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Value;
use crate::clock::Millis;
use crate::log::{Judgement, Position, View};
use crate::sync::AtomicU64;
use crate::tag::TagHash;

/// How long a value is good for, on the cache's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// From then on it is to be computed anew, though it is fresh: no later than it is stale.
    pub(crate) due: Millis,
    /// From then on it is stale.
    pub(crate) expires: Millis,
    /// From then on it is of no use: no earlier than it is stale.
    pub(crate) ends: Millis,
}

/// What a value is good for at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// It is handed out as it is.
    Fresh,
    /// It is past its ttl, and handed out as it is: a new one is seen to; or could not be had, and the
    /// next try is not due.
    Settled { failing: bool },
    /// It is fresh, and to be computed anew.
    Due,
    /// It is past its ttl.
    Stale,
}

impl Term {
    /// Fresh until then, and no use after that.
    pub(crate) fn until(expires: Millis) -> Self {
        Self {
            due: expires,
            expires,
            ends: expires,
        }
    }

    /// Whether it may be of use when it is due or stale.
    fn is_lasting(&self) -> bool {
        self.due < self.ends
    }

    /// What the value is good for now.
    pub(crate) fn age(&self, now: Millis) -> Age {
        if now < self.due {
            Age::Fresh
        } else if now < self.expires {
            Age::Due
        } else {
            Age::Stale
        }
    }
}

/// What two readings of one entry's end may differ by.
pub(super) const SLACK: Millis = 100;

/// What there is to know of a value that may be of use when it is due or stale.
#[derive(Debug)]
struct Lasting {
    expires: Millis,
    ends: Millis,
    /// Until when it is handed out as it is, in the upper bits; in the lowest, whether that is because
    /// a new one could not be had.
    settled: AtomicU64,
}

/// A value in the local tier, with what is needed to judge it.
pub(crate) struct LocalEntry {
    pub(crate) value: Value,
    pub(crate) at: Position,
    pub(crate) tags: Arc<[TagHash]>,
    due: Millis,
    /// The epoch at which it was last judged current; 0 is none.
    judged: AtomicU64,
    pub(super) weight: u64,
    lasting: Option<Box<Lasting>>,
}

impl LocalEntry {
    /// `size` is what it is thought to take in memory, in bytes.
    pub(crate) fn new(
        value: Value,
        at: Position,
        tags: Arc<[TagHash]>,
        term: Term,
        size: usize,
    ) -> Self {
        let weight = (size + size_of_val(&*tags)) as u64;
        let lasting = term.is_lasting().then(|| {
            Box::new(Lasting {
                expires: term.expires,
                ends: term.ends,
                settled: AtomicU64::new(0),
            })
        });
        Self {
            value,
            at,
            tags,
            due: term.due,
            judged: AtomicU64::new(0),
            weight,
            lasting,
        }
    }

    /// How long it is good for.
    pub(crate) fn term(&self) -> Term {
        let Some(lasting) = &self.lasting else {
            return Term::until(self.due);
        };
        Term {
            due: self.due,
            expires: lasting.expires,
            ends: lasting.ends,
        }
    }

    /// What it is good for now, without regard to whether it is current.
    #[inline]
    pub(crate) fn age(&self, now: Millis) -> Age {
        if now < self.due {
            Age::Fresh
        } else {
            self.late_age(now)
        }
    }

    #[cold]
    fn late_age(&self, now: Millis) -> Age {
        let age = self.term().age(now);
        let settled = self
            .lasting
            .as_ref()
            .map_or(0, |one| one.settled.load(Ordering::Relaxed));
        let (is_settled, failing) = (now < settled >> 1, settled & 1 == 1);
        match age {
            Age::Due if is_settled => Age::Fresh,
            Age::Stale if is_settled => Age::Settled { failing },
            _ => age,
        }
    }

    /// Whether this is a value that ends then, give or take what two readings of a server's clock may
    /// differ by.
    pub(super) fn ends_at(&self, expires: Millis) -> bool {
        self.term().expires.abs_diff(expires) <= SLACK
    }

    /// Read once more, a value is still what it was known to be.
    pub(super) fn inherit(&self, old: &Self) {
        if let (Some(new), Some(before)) = (&self.lasting, &old.lasting)
            && self.at == old.at
            && old.ends_at(new.expires)
        {
            let settled = before.settled.load(Ordering::Relaxed);
            new.settled.store(settled, Ordering::Relaxed);
        }
    }

    /// It is handed out as it is until then: that a new one is needed is known.
    pub(super) fn settle(&self, until: Millis, failing: bool) {
        if let Some(one) = &self.lasting {
            one.settled
                .store(until << 1 | u64::from(failing), Ordering::Relaxed);
        }
    }

    /// Whether this entry is current in the view. One load and a comparison where the view has
    /// not changed since the last time.
    #[inline]
    pub(crate) fn is_current(&self, view: &View) -> bool {
        self.judged.load(Ordering::Relaxed) == view.epoch()
            || self.judge(view) == Judgement::Current
    }

    #[cold]
    pub(crate) fn judge(&self, view: &View) -> Judgement {
        let (judgement, epoch) = view.judge_at(self.at, &self.tags);
        if judgement == Judgement::Current {
            self.judged.store(epoch, Ordering::Relaxed);
        }
        judgement
    }
}
