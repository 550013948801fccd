//! What the promise demands of each read, as a law about intervals of time. It knows no files, and
//! nothing of how values are cached.
//!
//! # The object
//!
//! A cell is a register whose changes are numbered 1, 2, 3, … by one writer. Its state is *(d, f)*:
//! the truth *d*, and the floor *f* of what has been acknowledged; both begin at 0. It can do this:
//!
//! - *change*: d := d + 1
//! - *acknowledge(n)*, which is called after change n was made: f := max(f, n)
//! - *read*, which returns any v with f ≤ v ≤ d
//!
//! A history of operations, each with its start and its end, keeps `Strict` iff every operation can
//! be given a point between its start and its end such that, taken in the order of these points, each
//! does what the object can do. That is linearizability with regard to this object. It is demanded of
//! each cell by itself: linearizability is local, and a read of several cells is not promised to be a
//! snapshot, but one read of each within the same time.
//!
//! # The law
//!
//! Let c(n) be the start of change n, a(n) the end of acknowledge(n), and A(v) = min { a(n) : n > v }.
//! Let a read that started at s and ended at e have returned v. Then
//!
//! > it must be that c(v) ≤ e (or v = 0), and that s ≤ A(v).
//!
//! *It is necessary.* Where e < c(v), the read's point lies before that of change v, whose number it
//! returned. Where A(v) < s, it lies after that of some acknowledge(n) with n > v: v < f.
//!
//! *It is sufficient*, and for all reads at once. Give each change its start as its point, and each
//! acknowledgement its end. That is an order in which d grows by one at a time, since the one writer's
//! changes do not overlap, and in which every acknowledgement comes after its change, since it began
//! when that was made; both are seen to when a history is read. Reads change no state, so each may be
//! placed for itself. At a point p, d ≥ v iff p ≥ c(v), and f ≤ v iff p ≤ A(v). A point that keeps both
//! lies in [s, e] iff max(s, c(v)) ≤ min(e, A(v)). Of the four inequalities that this is, s ≤ e holds
//! of every read, and c(v) ≤ A(v) holds since v's change began before the change of any n > v, which
//! began before the end of n's acknowledgement. The other two are the law. Where times are equal, the
//! operations are taken to overlap.
//!
//! So no search is needed, where checking linearizability in general is hard: the two choices that
//! help every read, changes early and acknowledgements late, hurt none. The tests compare the law with
//! a tester that does search.
//!
//! # `Bounded`
//!
//! Numbers that were acknowledged to the reading cache itself are held to the same law: with a(n) of
//! these alone, s ≤ A(v). All others may be missed for a time: s ≤ A(v) + [`TRUST`].
//!
//! # Limits
//!
//! The promise names a limit: the failover of a primary that was cut off. In such a window, and for
//! [`TRUST`] after it, reads may be stale; and an acknowledgement that overlaps one may have been given
//! by the primary that was replaced, and is not counted. What only this excuses is counted apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::{Nanos, Promise};

/// For so long a process may go on with what it knows: the promise's two seconds, and what it takes to
/// read a clock.
pub(crate) const TRUST: Nanos = 2_100_000_000;

/// Since when there has been a number beyond another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Since {
    first: u64,
    /// From the number `first` on: the earliest time at which it, or a later one, was there.
    times: Vec<Nanos>,
}

impl Since {
    pub(crate) fn of(numbers: impl Iterator<Item = (u64, Nanos)> + Clone) -> Self {
        let Some(first) = numbers.clone().map(|(number, _)| number).min() else {
            return Self::default();
        };
        let last = numbers.clone().map(|(number, _)| number).max();
        let mut times = vec![Nanos::MAX; (last.unwrap_or(first) - first + 1) as usize];
        for (number, at) in numbers {
            let time = &mut times[(number - first) as usize];
            *time = at.min(*time);
        }
        let mut earliest = Nanos::MAX;
        for time in times.iter_mut().rev() {
            earliest = earliest.min(*time);
            *time = earliest;
        }
        Self { first, times }
    }

    /// The earliest time at which a number beyond this one was there: A(v).
    pub(crate) fn beyond(&self, number: u64) -> Nanos {
        let at = (number + 1).saturating_sub(self.first) as usize;
        self.times.get(at).copied().unwrap_or(Nanos::MAX)
    }
}

/// A number that was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) number: u64,
    pub(crate) at: Nanos,
    /// To which cache.
    pub(crate) cache: usize,
}

/// All that happened to one cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    /// The start of each change, from number 1 on: c(n).
    begun: Vec<Nanos>,
    given: Vec<Given>,
    acknowledged: Since,
    /// Without what a window makes doubtful.
    firm: Since,
    /// By cache: what was acknowledged to it.
    own: BTreeMap<usize, Since>,
    own_firm: BTreeMap<usize, Since>,
}

/// The times in which the promise is limited.
#[derive(Clone, Debug, Default)]
pub(crate) struct Windows(pub(crate) Vec<(Nanos, Nanos)>);

impl Windows {
    fn excuse_read(&self, start: Nanos, end: Nanos) -> bool {
        let overlaps =
            |&(from, to): &(Nanos, Nanos)| start <= to.saturating_add(TRUST) && end >= from;
        self.0.iter().any(overlaps)
    }

    fn make_doubtful(&self, start: Nanos, end: Nanos) -> bool {
        let overlaps = |&(from, to): &(Nanos, Nanos)| start <= to && end >= from;
        self.0.iter().any(overlaps)
    }
}

/// Who read a cell, when, and what it got.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) promise: Promise,
    /// By which cache.
    pub(crate) cache: usize,
    pub(crate) value: u64,
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
}

/// What the law says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Kept,
    /// In `Bounded`: older than what had been acknowledged to others for this time.
    Older(Nanos),
    /// Only a window excuses it.
    Excused,
    /// It missed what had been acknowledged at this time.
    Stale(Nanos),
    /// It got a number whose change began only after it had ended, at this time; or never.
    Future(Option<Nanos>),
}

impl Cell {
    pub(crate) fn new(begun: Vec<Nanos>, given: Vec<Given>, windows: &Windows) -> Self {
        let of = |given: &[Given], keep: &dyn Fn(&Given) -> bool| {
            let kept: Vec<_> = given.iter().filter(|given| keep(given)).collect();
            Since::of(kept.iter().map(|given| (given.number, given.at)))
        };
        let caches: BTreeSet<_> = given.iter().map(|given| given.cache).collect();
        let is_firm = |given: &Given| {
            // It was asked for after its change began.
            let start = begun.get(given.number as usize - 1).copied();
            !windows.make_doubtful(start.unwrap_or(0), given.at)
        };
        let own = |cache: &usize| (*cache, of(&given, &|given| given.cache == *cache));
        let own_firm = |cache: &usize| {
            let keep = |given: &Given| given.cache == *cache && is_firm(given);
            (*cache, of(&given, &keep))
        };
        Self {
            own: caches.iter().map(own).collect(),
            own_firm: caches.iter().map(own_firm).collect(),
            acknowledged: of(&given, &|_| true),
            firm: of(&given, &is_firm),
            begun,
            given,
        }
    }

    /// The start of this change.
    pub(crate) fn begun(&self, number: u64) -> Option<Nanos> {
        self.begun.get(number.checked_sub(1)? as usize).copied()
    }

    /// The first acknowledgement, by time, of a number beyond this one.
    pub(crate) fn first_beyond(&self, number: u64) -> Option<&Given> {
        let beyond = self.given.iter().filter(|given| given.number > number);
        beyond.min_by_key(|given| given.at)
    }

    /// What the law says of a read.
    pub(crate) fn judge(&self, look: &Look, windows: &Windows) -> Verdict {
        let Look {
            value, start, end, ..
        } = *look;
        if value > 0 && self.begun(value).is_none_or(|begun| begun > end) {
            return Verdict::Future(self.begun(value));
        }
        let allowed = match look.promise {
            Promise::Strict => 0,
            Promise::Bounded => TRUST,
        };
        let own = |given: &BTreeMap<usize, Since>| match look.promise {
            // It is among the others'.
            Promise::Strict => Nanos::MAX,
            Promise::Bounded => {
                let own = given.get(&look.cache);
                own.map_or(Nanos::MAX, |own| own.beyond(value))
            }
        };
        let keeps = |own, others: Nanos| own >= start && others.saturating_add(allowed) >= start;
        let (others, own_told) = (self.acknowledged.beyond(value), own(&self.own));
        if keeps(own_told, others) {
            return if others < start {
                Verdict::Older(start - others)
            } else {
                Verdict::Kept
            };
        }
        let is_lost = keeps(own(&self.own_firm), self.firm.beyond(value));
        if is_lost || windows.excuse_read(start, end) {
            return Verdict::Excused;
        }
        Verdict::Stale(own_told.min(others))
    }
}

#[cfg(test)]
#[path = "law/tests.rs"]
mod tests;
