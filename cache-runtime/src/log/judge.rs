//! Reading the view: whether an entry is current, whether a flight may be joined, whether a
//! follower may take what it landed with. Nothing here changes anything or takes a lock.

use std::sync::atomic::Ordering;

use super::table::Known;
use super::{HELD, Judgement, Position, View};
use crate::tag::TagHash;

impl View {
    /// Judges what was written at `at` with these tags.
    pub(crate) fn judge(&self, at: Position, tags: &[TagHash]) -> Judgement {
        self.judge_at(at, tags).0
    }

    /// Judges, and says at which epoch the judgement holds.
    pub(crate) fn judge_at(&self, at: Position, tags: &[TagHash]) -> (Judgement, u64) {
        self.observe(|| self.judge_once(at, tags))
    }

    /// Whether a compute that noted `at` when `owes` was counted may still be joined
    /// while the log is out of reach: nothing has been invalidated here since, as far as can be
    /// known. What was owed before the compute began does not count against it.
    pub(crate) fn admits_unattached(&self, at: Position, owes: u64, tags: &[TagHash]) -> bool {
        let read = || {
            let moved = |tag: &TagHash| {
                let version = self.tags.get(*tag).version();
                version > at.head && version != HELD
            };
            self.owes() == owes
                && at.log == self.log.load(Ordering::Acquire)
                && !tags.iter().any(moved)
        };
        self.observe(read).0
    }

    /// How many invalidations of this process's own there have been, owed or acknowledged.
    pub(crate) fn owes(&self) -> u64 {
        self.owes.load(Ordering::Acquire)
    }

    pub(super) fn judge_once(&self, at: Position, tags: &[TagHash]) -> Judgement {
        if at.log == 0 || at.log != self.log.load(Ordering::Acquire) {
            return Judgement::Outdated;
        }
        if at.head < self.floor.load(Ordering::Acquire) {
            return Judgement::Outdated;
        }
        let seen_all = at.head >= self.since.load(Ordering::Acquire);
        let mut judgement = Judgement::Current;
        for &tag in tags {
            match self.tags.get(tag) {
                Known::Exactly(version) | Known::AtMost(version) if version > at.head => {
                    return Judgement::Outdated;
                }
                Known::AtMost(_) if !seen_all => judgement = Judgement::Unknown,
                Known::Exactly(_) | Known::AtMost(_) => {}
            }
        }
        if at.head > self.head.load(Ordering::Acquire) {
            return Judgement::Ahead;
        }
        judgement
    }

    /// Whether a follower that joined at `joined` may take a value written at `at`: none of its
    /// tags has moved between the flight's start and the joining. `tested` are the tags for which
    /// that was established at the joining; of the others only the last move is known, so any
    /// move refuses.
    pub(crate) fn accepts(
        &self,
        at: Position,
        joined: Position,
        tags: &[TagHash],
        tested: Option<&[TagHash]>,
    ) -> bool {
        self.observe(|| self.accepts_once(at, joined, tags, tested))
            .0
    }

    fn accepts_once(
        &self,
        at: Position,
        joined: Position,
        tags: &[TagHash],
        tested: Option<&[TagHash]>,
    ) -> bool {
        if at.log != joined.log || at.log != self.log.load(Ordering::Acquire) {
            return false;
        }
        // Joined before the head was noted: whatever moved since moved after the joining.
        if at.head >= joined.head {
            return true;
        }
        if at.head < self.floor.load(Ordering::Acquire)
            || at.head < self.since.load(Ordering::Acquire)
        {
            return false;
        }
        tags.iter().all(|tag| {
            tested.is_some_and(|tested| tested.contains(tag))
                || self.tags.get(*tag).version() <= at.head
        })
    }
}
