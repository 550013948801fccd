//! A process's view of the log: what it knows, how it judges, and how what was read changes it.

use super::Fleet;
use super::rules::Rule;
use super::state::{At, CELLS, CaughtUp, Cells};
use super::store::{Answer, HELD, Marking, Record, State};

/// What a process knows of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct View {
    pub(super) at: At,
    pub(super) floor: u8,
    /// From where on it has seen every record.
    since: u8,
    /// The last position of each tag, where it is known.
    moved: [Option<u8>; CELLS],
    /// The marks that it knows to stand, by mutation.
    pub(super) marks: u8,
    /// What the records that it has applied had made: known to the checker only.
    pub(super) told: Cells,
}

/// What is said of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    Current,
    Outdated,
    Unknown,
    Ahead,
}

/// Every cell.
pub(super) const ALL: u8 = (1 << CELLS) - 1;

impl View {
    /// Of log 1, from its beginning on.
    pub(super) fn at_the_beginning() -> Self {
        Self {
            at: At { log: 1, head: 0 },
            ..Self::default()
        }
    }

    /// Judges what was noted at `at` and carries the tags of these cells.
    pub(super) fn judge(&self, fleet: &Fleet, at: At, cells: u8) -> Judgement {
        let other_log = at.log != self.at.log && fleet.has(Rule::EntriesCarryTheLog);
        if at.log == 0 || self.at.log == 0 || other_log || at.head < self.floor {
            return Judgement::Outdated;
        }
        let held = if fleet.has(Rule::MarksHold) {
            fleet.scope.marked(self.marks)
        } else {
            0
        };
        let mut unknown = false;
        for cell in (0..CELLS).filter(|cell| cells & 1 << cell != 0) {
            match self.moved[cell] {
                _ if held & 1 << cell != 0 => return Judgement::Outdated,
                Some(moved) if moved > at.head => return Judgement::Outdated,
                Some(_) => {}
                None => unknown |= at.head < self.since && fleet.has(Rule::UnknownIsAsked),
            }
        }
        if unknown {
            Judgement::Unknown
        } else if at.head > self.at.head {
            Judgement::Ahead
        } else {
            Judgement::Current
        }
    }

    /// Whether a follower that joined at `joined` may take what was noted at `at`.
    pub(super) fn accepts(&self, at: At, joined: At, tested: u8) -> bool {
        if at.log != joined.log || at.log != self.at.log {
            return false;
        }
        if at.head >= joined.head {
            return true;
        }
        let moved = |cell: usize| self.moved[cell].is_some_and(|moved| moved > at.head);
        let untested = (0..CELLS).filter(|cell| tested & 1 << cell == 0);
        at.head >= self.floor && at.head >= self.since && !untested.into_iter().any(moved)
    }

    /// Applies one record at its version.
    pub(super) fn apply(&mut self, version: u8, record: Record) {
        for cell in 0..CELLS {
            if record.moves & 1 << cell != 0 {
                let known = &mut self.moved[cell];
                *known = Some(known.unwrap_or(0).max(version));
                self.told[cell] = self.told[cell].max(record.made[cell]);
            }
        }
        match record.mark {
            Marking::None => {}
            Marking::Placed(mutation) => self.marks |= 1 << mutation,
            Marking::Ended(mutation) => self.marks &= !(1 << mutation),
        }
    }

    /// The record that this process has appended itself, before the caller is told.
    pub(super) fn confirm(&mut self, state: State, record: Record) {
        if self.at.log != state.log {
            // Another log has begun: none is followed until a catch-up has found it.
            self.at = At::default();
            return;
        }
        self.apply(state.head, record);
        self.floor = self.floor.max(state.floor);
        if state.head == self.at.head + 1 {
            self.at.head = state.head;
        }
    }

    /// Whether what was read joins up with what is known.
    pub(super) fn joins(&self, fleet: &Fleet, caught: &CaughtUp) -> bool {
        let ids = fleet.has(Rule::CatchUpNamesTheLog);
        if ids && self.at.log != caught.state.log {
            return false;
        }
        let of_another = |record: &Record| record.log != caught.state.log;
        if ids && caught.records.iter().any(of_another) {
            return false;
        }
        if !fleet.has(Rule::NoGap) {
            return true;
        }
        let Some(last) = (caught.first..).take(caught.records.len()).last() else {
            return caught.state.head == caught.from;
        };
        // From the known record on: nothing precedes the first one of a log.
        caught.first == caught.from.max(1) && last >= caught.state.head
    }

    /// Takes over what joins up.
    pub(super) fn catch_up(&mut self, caught: &CaughtUp) {
        let known = self.at.head;
        let mut newest = known;
        for (version, record) in (caught.first..).zip(&caught.records) {
            if version > known {
                self.apply(version, *record);
            }
            newest = newest.max(version);
        }
        self.at.head = self.at.head.max(newest);
        self.floor = self.floor.max(caught.state.floor);
    }

    /// Begins at a log's head, with the marks that stand: of what is older it knows nothing.
    pub(super) fn start(&mut self, fleet: &Fleet, state: State, marks: u8) {
        let anew = fleet.has(Rule::AnewKnowsNothing);
        let known = if self.at.log == state.log {
            self.newest()
        } else {
            0
        };
        let kept = if anew { [None; CELLS] } else { self.moved };
        let since = if anew {
            state.head.max(known)
        } else {
            self.since
        };
        let marks = if fleet.has(Rule::AnewFetchesMarks) {
            marks
        } else {
            0
        };
        *self = Self {
            at: At {
                log: state.log,
                head: state.head,
            },
            floor: state.floor,
            since,
            moved: kept,
            marks,
            told: self.told,
        };
    }

    fn newest(&self) -> u8 {
        let moved = self.moved.iter().flatten().copied().max();
        moved.unwrap_or(0).max(self.at.head)
    }

    /// Keeps an answer, unless the view has moved past it.
    pub(super) fn learn(&mut self, fleet: &Fleet, answer: Answer) {
        let past = answer.state.log != self.at.log || answer.state.head < self.newest();
        if past && fleet.has(Rule::LateAnswersAreDropped) {
            return;
        }
        self.floor = self.floor.max(answer.state.floor);
        for cell in 0..CELLS {
            if answer.at[cell] != HELD {
                self.moved[cell] = Some(if fleet.has(Rule::LateAnswersAreDropped) {
                    answer.at[cell].max(self.moved[cell].unwrap_or(0))
                } else {
                    answer.at[cell]
                });
            }
        }
    }
}
