//! The readers: judges of the entry in the local tier, and a compute that notes its position and
//! replaces that entry. Each load is a step.

use std::fmt;

use super::{Entry, Epoch, R, State, Tag};

/// What a judge does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Look {
    /// Begins: loads the epoch that is kept with the entry.
    #[default]
    Judged,
    /// Compares it with the view's: where they are equal, that is all.
    Fast,
    Epoch,
    Log,
    Since,
    Slot,
    Version,
    SlotAgain,
    Folded,
    Head,
    End,
    Keep,
}

/// A judge at work, and what it has loaded so far. What it is done with is forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Judge {
    pub(super) next: Look,
    /// What had been acknowledged, and which log had been started, when it began.
    must: u8,
    of: u8,
    judged: u8,
    pub(super) epoch: u8,
    seen_all: bool,
    version: u8,
    /// Whether what was seen so far speaks for the entry.
    current: bool,
}

/// What the compute does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Compute {
    Idle,
    Log { epoch: u8 },
    Head { epoch: u8, log: u8 },
    End { epoch: u8, log: u8, head: u8 },
    Store(Entry),
}

impl Epoch {
    pub(super) fn can_look(&self, state: &State, judge: Judge) -> bool {
        // It waits for the mutex, which an overhaul holds.
        let waits = state.memory.epoch % 2 == 1 && self.keeps(R::Odd);
        !(judge.next == Look::Epoch && waits && self.keeps(R::EpochFirst))
    }

    pub(super) fn look(&self, state: &mut State, place: usize) {
        let (memory, entry) = (state.memory, state.entry);
        let judge = &mut state.judges[place];
        match judge.next {
            Look::Judged => {
                judge.must = state.acknowledged;
                judge.of = state.started;
                judge.judged = entry.judged;
                judge.next = Look::Fast;
            }
            Look::Fast => {
                if judge.judged == memory.epoch {
                    Self::serve(state, place);
                } else {
                    judge.judged = 0;
                    judge.next = Look::Epoch;
                }
            }
            Look::Epoch => {
                judge.epoch = memory.epoch;
                judge.current = true;
                judge.next = Look::Log;
            }
            Look::Log => {
                judge.current &= entry.log == memory.log;
                judge.next = Look::Since;
            }
            Look::Since => {
                judge.seen_all = entry.version >= memory.since;
                judge.next = Look::Slot;
            }
            Look::Slot => {
                judge.next = if memory.slot == Tag::A {
                    Look::Version
                } else {
                    Look::Folded
                };
            }
            Look::Version => {
                judge.version = memory.version;
                judge.next = Look::SlotAgain;
            }
            Look::SlotAgain => {
                if memory.slot == Tag::A || !self.keeps(R::SlotAgain) {
                    judge.current &= judge.version <= entry.version;
                    judge.next = Look::Head;
                } else {
                    judge.next = Look::Folded;
                }
                judge.version = 0;
            }
            Look::Folded => {
                // The tag is not known: what is older than all that was seen is unknown.
                judge.current &= memory.folded <= entry.version && judge.seen_all;
                judge.next = Look::Head;
            }
            Look::Head => {
                judge.current &= entry.version <= memory.head;
                judge.seen_all = false;
                judge.next = Look::End;
            }
            Look::End => {
                if !self.keeps(R::EpochFirst) {
                    judge.epoch = memory.epoch;
                }
                if judge.epoch != memory.epoch && self.keeps(R::Compared) {
                    judge.next = Look::Epoch;
                } else if judge.current {
                    judge.next = Look::Keep;
                } else {
                    *judge = Judge::default();
                }
            }
            Look::Keep => {
                state.entry.judged = if self.keeps(R::Kept) {
                    judge.epoch
                } else {
                    memory.epoch
                };
                Self::serve(state, place);
            }
        }
        let judge = &mut state.judges[place];
        // It returns at once where something speaks against the entry.
        if (Look::Since..Look::End).contains(&judge.next) && !judge.current {
            judge.next = Look::End;
            judge.seen_all = false;
        }
    }

    /// The entry is served to the one who asked for it.
    fn serve(state: &mut State, place: usize) {
        let judge = std::mem::take(&mut state.judges[place]);
        state.missed |= judge.must > state.entry.has;
        state.of_another_log |= judge.of > state.entry.log;
    }

    pub(super) fn can_compute(&self, state: &State) -> bool {
        match state.compute {
            Compute::Idle => state.memory.epoch.is_multiple_of(2) || !self.keeps(R::OnePosition),
            // The shard's lock: readers of the old entry go first.
            Compute::Store(_) => state.judges.iter().all(|judge| judge.next == Look::Judged),
            Compute::Log { .. } | Compute::Head { .. } | Compute::End { .. } => true,
        }
    }

    pub(super) fn compute(&self, state: &mut State) {
        let memory = state.memory;
        state.compute = match state.compute {
            Compute::Idle => Compute::Log {
                epoch: memory.epoch,
            },
            Compute::Log { epoch } => Compute::Head {
                epoch,
                log: memory.log,
            },
            Compute::Head { epoch, log } => Compute::End {
                epoch,
                log,
                head: memory.head,
            },
            Compute::End { epoch, log, head } => {
                if epoch == memory.epoch || !self.keeps(R::OnePosition) {
                    // The body begins here: it sees every mutation that has been committed.
                    Compute::Store(Entry {
                        log,
                        version: head,
                        has: state.begun,
                        judged: 0,
                    })
                } else {
                    Compute::Idle
                }
            }
            Compute::Store(entry) => {
                state.entry = entry;
                Compute::Idle
            }
        };
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Judged => "begins, and loads the epoch kept with the entry",
            Self::Fast => "compares it with the view's epoch",
            Self::Epoch => "loads the view's epoch",
            Self::Log => "loads the log",
            Self::Since => "loads since",
            Self::Slot => "looks for tag a in the slot",
            Self::Version => "loads the slot's version",
            Self::SlotAgain => "looks at the slot once more",
            Self::Folded => "loads the folded maximum",
            Self::Head => "loads the head",
            Self::End => "loads the epoch at the end",
            Self::Keep => "says current, and keeps the epoch with the entry",
        })
    }
}

impl fmt::Display for Compute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => write!(f, "loads the epoch, to note a position"),
            Self::Log { .. } => write!(f, "loads the log"),
            Self::Head { .. } => write!(f, "loads the head"),
            Self::End { log, head, .. } => {
                write!(f, "loads the epoch again; begins at {head} of log {log}")
            }
            Self::Store(Entry { version, log, .. }) => {
                write!(f, "stores its entry, of version {version} in log {log}")
            }
        }
    }
}
