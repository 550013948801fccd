//! The server: what it keeps, and what its scripts do to that, each in one step. Who is told of it
//! is not decided here.

use super::Fleet;
use super::rules::Rule;
use super::state::{At, CELLS, Cells, Holder, most};

/// Above every version: a tag under a mark.
pub(super) const HELD: u8 = u8::MAX;

/// What one server holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Store {
    /// Its replication id.
    pub(super) identity: u8,
    pub(super) meta: Option<Meta>,
    pub(super) hashes: [Option<Hash>; 2],
    /// The version of the first record that is left, and the records from there on.
    pub(super) first: u8,
    pub(super) records: Vec<Record>,
    pub(super) marks: Option<Marks>,
    pub(super) entry: Option<Entry>,
    pub(super) lease: Option<Lease>,
}

/// The log's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Meta {
    pub(super) log: u8,
    pub(super) head: u8,
    pub(super) floor: u8,
    /// The server that kept it.
    server: u8,
    /// The hash that is written to, and the head at which the other one stopped being.
    current: u8,
    turned: u8,
}

/// The last positions of tags, and the id of the log that they are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Hash {
    of: u8,
    at: Cells,
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Record {
    pub(super) log: u8,
    /// The cells whose tags it moves, as bits.
    pub(super) moves: u8,
    pub(super) mark: Marking,
    /// What the mutation had made: known to the checker only.
    pub(super) made: Cells,
}

/// What a record does to marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Marking {
    None,
    Placed(u8),
    Ended(u8),
}

/// The marks that stand, by mutation, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Marks {
    of: u8,
    pub(super) standing: u8,
}

/// What is stored for the key: where it was noted, and what the value was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub(super) at: At,
    pub(super) made: Cells,
}

/// The lease of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lease {
    Held(LeaseRecord),
    /// The compute failed: left for a moment to those who waited.
    Failed {
        token: u8,
        made: Cells,
    },
}

/// Who holds it, and where he noted the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LeaseRecord {
    pub(super) token: u8,
    pub(super) at: At,
    /// Known to the checker only.
    pub(super) holder: Holder,
}

/// A log's id, head and floor, where there is a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) log: u8,
    pub(super) head: u8,
    pub(super) floor: u8,
}

/// What an ask brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Answer {
    pub(super) state: State,
    pub(super) at: Cells,
}

impl Store {
    /// A server whose log, number 1, has just begun.
    pub(super) fn new() -> Self {
        let mut store = Self::empty(1);
        store.begin(1);
        store
    }

    /// A server that holds nothing.
    pub(super) fn empty(identity: u8) -> Self {
        Self {
            identity,
            meta: None,
            hashes: [None; 2],
            first: 1,
            records: Vec::new(),
            marks: None,
            entry: None,
            lease: None,
        }
    }

    fn begin(&mut self, log: u8) {
        self.meta = Some(Meta {
            log,
            head: 0,
            floor: 0,
            server: self.identity,
            current: 0,
            turned: 0,
        });
        self.hashes = [Some(Hash {
            of: log,
            at: [0; CELLS],
        }); 2];
        self.first = 1;
        self.records.clear();
        self.marks = Some(Marks {
            of: log,
            standing: 0,
        });
    }

    /// The log as a reader of the metadata finds it.
    pub(super) fn state(&self) -> Option<State> {
        self.meta.map(|meta| State {
            log: meta.log,
            head: meta.head,
            floor: meta.floor,
        })
    }

    /// Whether there is no log that this server has kept.
    fn is_anew(&self, fleet: &Fleet) -> bool {
        let Some(meta) = self.meta else { return true };
        let compares = fleet.has(Rule::ServerIdentity) && fleet.has(Rule::NotByTheHead);
        let promoted = meta.server != self.identity && compares;
        let marks = self.marks.is_some_and(|marks| marks.of == meta.log);
        promoted || !marks
    }

    fn is_lost(&self, hash: usize, log: u8) -> bool {
        self.hashes[hash].is_none_or(|hash| hash.of != log)
    }

    /// Sees to it that there is a log. Returns whether another one began.
    pub(super) fn settle(&mut self, fleet: &Fleet, next_log: &mut u8) -> bool {
        if self.is_anew(fleet) {
            let log = if fleet.has(Rule::RandomLogId) {
                *next_log += 1;
                *next_log - 1
            } else {
                1
            };
            self.begin(log);
            return true;
        }
        let Some(meta) = &mut self.meta else {
            return false;
        };
        // From here on this server keeps it.
        meta.server = self.identity;
        let log = meta.log;
        let lost = [0, 1].map(|hash| self.is_lost(hash, log));
        if lost.contains(&true)
            && let Some(meta) = &mut self.meta
            && fleet.has(Rule::Sentinel)
        {
            meta.floor = meta.head;
        }
        for (hash, lost) in lost.into_iter().enumerate() {
            if lost {
                self.hashes[hash] = Some(Hash {
                    of: log,
                    at: [0; CELLS],
                });
            }
        }
        if self.marks.is_none_or(|marks| marks.of != log) {
            self.marks = Some(Marks {
                of: log,
                standing: 0,
            });
        }
        false
    }

    /// Adds a record to the log that is there. Returns its version.
    fn record(&mut self, moves: u8, mark: Marking, made: Cells) -> u8 {
        let Some(meta) = &mut self.meta else { return 0 };
        meta.head += 1;
        let (log, version, current) = (meta.log, meta.head, usize::from(meta.current));
        if let Some(hash) = &mut self.hashes[current] {
            for cell in 0..CELLS {
                if moves & 1 << cell != 0 {
                    hash.at[cell] = version;
                }
            }
        }
        if self.records.is_empty() {
            self.first = version;
        }
        self.records.push(Record {
            log,
            moves,
            mark,
            made,
        });
        version
    }

    /// `append.lua`. Returns the log, the version and the floor.
    pub(super) fn append(
        &mut self,
        fleet: &Fleet,
        next_log: &mut u8,
        moves: u8,
        ends: Option<u8>,
        made: Cells,
    ) -> (State, bool) {
        let anew = self.settle(fleet, next_log);
        let mark = ends.map_or(Marking::None, |mutation| {
            self.unmark(mutation);
            Marking::Ended(mutation)
        });
        self.record(moves, mark, made);
        (self.expected(), anew)
    }

    /// `append.lua` with a claim: the record of a `put`, unless what was noted at `at` is outdated.
    pub(super) fn claim(&mut self, fleet: &Fleet, next_log: &mut u8, at: At) -> Option<State> {
        let log = self.state()?;
        let moved = |hash: &Hash| hash.at.iter().any(|&moved| moved > at.head);
        let lost = self.is_lost(0, log.log) || self.is_lost(1, log.log);
        let marked = self.marks.is_none_or(|marks| marks.standing != 0);
        let stale = self.hashes.iter().flatten().any(moved) || at.head < log.floor;
        let refused = self.is_anew(fleet) || lost || marked || at.log != log.log || stale;
        if refused && fleet.has(Rule::PutIsRefused) {
            return None;
        }
        self.settle(fleet, next_log);
        self.record(0, Marking::None, [0; CELLS]);
        self.state()
    }

    fn expected(&self) -> State {
        self.state().unwrap_or(State {
            log: 0,
            head: 0,
            floor: 0,
        })
    }

    fn unmark(&mut self, mutation: u8) {
        if let Some(marks) = &mut self.marks {
            marks.standing &= !(1 << mutation);
        }
    }

    /// `mark.lua`, where the mark does not stand yet. Returns the log, and the record's version.
    pub(super) fn mark(&mut self, fleet: &Fleet, next_log: &mut u8, mutation: u8) -> (State, bool) {
        let anew = self.settle(fleet, next_log);
        if let Some(marks) = &mut self.marks {
            marks.standing |= 1 << mutation;
        }
        self.record(0, Marking::Placed(mutation), [0; CELLS]);
        (self.expected(), anew)
    }

    /// `expire.lua`, where the deadline has passed.
    pub(super) fn expire(&mut self, fleet: &Fleet, next_log: &mut u8, mutation: u8, moves: u8) {
        if fleet.has(Rule::OnlyAnAppendEndsAMark) {
            self.append(fleet, next_log, moves, Some(mutation), [0; CELLS]);
        } else {
            self.unmark(mutation);
            self.record(0, Marking::Ended(mutation), [0; CELLS]);
        }
    }

    /// `rotate.lua`, where it is due. Whether a record was added.
    pub(super) fn rotate(&mut self, fleet: &Fleet, next_log: &mut u8) -> bool {
        if self.is_anew(fleet) {
            return false;
        }
        self.settle(fleet, next_log);
        let Some(meta) = &mut self.meta else {
            return false;
        };
        if fleet.has(Rule::RotationRaisesTheFloor) {
            meta.floor = meta.floor.max(meta.turned);
        }
        let turned = meta.turned;
        meta.current = 1 - meta.current;
        meta.turned = meta.head;
        let (current, log) = (usize::from(meta.current), meta.log);
        self.hashes[current] = Some(Hash {
            of: log,
            at: [0; CELLS],
        });
        if !fleet.has(Rule::MarksApart)
            && let Some(marks) = &mut self.marks
        {
            marks.standing = 0;
        }
        while self.first < turned && !self.records.is_empty() {
            self.first += 1;
            self.records.remove(0);
        }
        self.record(0, Marking::None, [0; CELLS]);
        true
    }

    /// `ask.lua`.
    pub(super) fn ask(&self, fleet: &Fleet) -> Option<Answer> {
        let mut state = self.state()?;
        let lost = |hash| self.is_lost(hash, state.log);
        let marks_lost = self.marks.is_none_or(|marks| marks.of != state.log);
        if (lost(0) || lost(1) || marks_lost) && fleet.has(Rule::Sentinel) {
            state.floor = state.head;
        }
        let mut at = [0; CELLS];
        for hash in self.hashes.iter().flatten() {
            at = most(at, hash.at);
        }
        let standing = self.marks.map_or(0, |marks| marks.standing);
        for cell in 0..CELLS as u8 {
            if fleet.scope.marked(standing) & 1 << cell != 0 {
                at[usize::from(cell)] = HELD;
            }
        }
        Some(Answer { state, at })
    }
}
