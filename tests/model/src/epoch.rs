//! The view without a lock: readers judge an entry while a writer changes what they judge by, one
//! load or store at a time. The writer's side is in `write`, the readers' in `read`.
//!
//! What is left out, and why that is sound. Writers hold a mutex, so one that does everything in
//! turn stands for any number. Loads and stores take effect in one order: the product's are
//! acquire and release, every load of a reader stays before its next, and whoever starts after an
//! append was acknowledged has it happen before. The table is one bucket with one slot, so that a
//! second tag folds the first: larger ones fold less. The floor is read and written like the tag.
//! The id is read with the log's number, and like it. A replaced entry waits for the readers of
//! the old one, as the shard's lock has it. A change is acknowledged with its last store, which is
//! the earliest that it can be. An entry has one tag, `a`; of the other, `b`, it is
//! only known that it is another.

use stateright::{Model, Property};

use crate::case::{Case, Extent, Rule, Rules, Run, Size};
use crate::explore::{self, Explored};

mod read;
mod write;

use read::{Compute, Judge, Look};
use write::{Change, Store, write};

#[derive(Clone, Copy)]
enum R {
    TagsFirst,
    EpochFirst,
    Compared,
    Odd,
    Kept,
    FoldedFirst,
    SlotAgain,
    OnePosition,
}

const RULES: [Rule; 8] = [
    Rule {
        name: "tags-first",
        says: "tags are published before the epoch",
        lives: "log/change.rs: append, confirm, catch_up, learn (stir last)",
    },
    Rule {
        name: "epoch-first",
        says: "a judge loads the epoch before the tags",
        lives: "log.rs: observe",
    },
    Rule {
        name: "epoch-compared",
        says: "a judge reads the epoch once more at the end, and starts over where it moved",
        lives: "log.rs: observe",
    },
    Rule {
        name: "odd-refused",
        says: "the epoch is odd during an overhaul, and nothing is judged at it",
        lives: "log.rs: observe, overhaul",
    },
    Rule {
        name: "epoch-kept",
        says: "what is kept with an entry is the epoch read before it was judged",
        lives: "local/entry.rs: judge; log/judge.rs: judge_at",
    },
    Rule {
        name: "folded-first",
        says: "the maximum of what was folded is raised before the tag leaves its slot",
        lives: "log/table.rs: fold_oldest",
    },
    Rule {
        name: "slot-again",
        says: "a slot is looked at again after its version: it may be another tag's by then",
        lives: "log/table.rs: get",
    },
    Rule {
        name: "one-position",
        says: "log and head are noted as they stood at one epoch",
        lives: "log.rs: position, observe",
    },
];

/// What is in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Tag {
    None,
    A,
    B,
}

/// What readers see, each part an atomic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Memory {
    epoch: u8,
    log: u8,
    since: u8,
    head: u8,
    slot: Tag,
    version: u8,
    folded: u8,
}

/// The entry in the local tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Entry {
    log: u8,
    version: u8,
    /// How many mutations of `a` had been made when its body began.
    has: u8,
    /// The epoch at which it was last judged current.
    judged: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    memory: Memory,
    /// What the writer is doing, and what is left of it.
    change: Option<Change>,
    stores: Vec<Store>,
    /// Changes begun, of any kind.
    changes: usize,
    /// Appends of `a`: begun, and acknowledged.
    begun: u8,
    acknowledged: u8,
    /// The log whose `start` has returned last.
    started: u8,
    entry: Entry,
    judges: [Judge; 2],
    compute: Compute,
    /// What has been served that should not have been.
    missed: bool,
    of_another_log: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begin(Change),
    Write(Store),
    Judge(usize, Look),
    Compute(Compute),
}

/// The model, with its bounds.
#[derive(Clone, Debug)]
struct Epoch {
    rules: Rules,
    judges: usize,
    changes: usize,
}

impl Epoch {
    fn keeps(&self, rule: R) -> bool {
        self.rules.keep(rule as usize)
    }
}

impl Model for Epoch {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            memory: Memory {
                epoch: 2,
                log: 1,
                since: 0,
                head: 1,
                slot: Tag::None,
                version: 0,
                folded: 0,
            },
            change: None,
            stores: Vec::new(),
            changes: 0,
            begun: 0,
            acknowledged: 0,
            started: 1,
            entry: Entry {
                log: 1,
                version: 1,
                has: 0,
                judged: 0,
            },
            judges: [Judge::default(); 2],
            compute: Compute::Idle,
            missed: false,
            of_another_log: false,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        match (state.change, state.stores.first()) {
            (None, _) if state.changes < self.changes => {
                steps.extend(Change::ALL.map(Step::Begin));
            }
            (Some(_), Some(&store)) => steps.push(Step::Write(store)),
            _ => {}
        }
        for (place, judge) in state.judges.iter().enumerate().take(self.judges) {
            if self.can_look(state, *judge) {
                steps.push(Step::Judge(place, judge.next));
            }
        }
        if self.can_compute(state) {
            steps.push(Step::Compute(state.compute));
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::Begin(change) => self.begin(&mut next, change),
            Step::Write(store) => write(&mut next, store),
            Step::Judge(place, _) => self.look(&mut next, place),
            Step::Compute(_) => self.compute(&mut next),
        }
        if self.rules.all() && self.judges == 2 {
            // Which of the two it is makes no difference.
            next.judges.sort_unstable();
        }
        Some(next)
    }

    fn format_action(&self, step: &Step) -> String {
        match step {
            Step::Begin(change) => format!("writer: begins to {change}"),
            Step::Write(store) => format!("writer: {store}"),
            Step::Judge(place, look) => format!("judge {}: {look}", place + 1),
            Step::Compute(compute) => format!("compute: {compute}"),
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "an append acknowledged before a judge began is seen by it",
                |_: &Self, state: &State| !state.missed,
            ),
            Property::always(
                "a judge that began after a new log was started calls no entry of the old one \
                 current",
                |_: &Self, state: &State| !state.of_another_log,
            ),
            Property::always(
                "an entry whose judged epoch is the view's lacks nothing that was acknowledged",
                |_: &Self, state: &State| {
                    let Entry {
                        log, has, judged, ..
                    } = state.entry;
                    judged != state.memory.epoch
                        || (has >= state.acknowledged && log >= state.started)
                },
            ),
            Property::sometimes("the short way serves", |_: &Self, state: &State| {
                let short = |judge: &Judge| judge.next == Look::Fast;
                state.entry.judged == state.memory.epoch && state.judges.iter().any(short)
            }),
            Property::sometimes("a judge starts over", |_: &Self, state: &State| {
                let again =
                    |judge: &Judge| judge.next == Look::End && judge.epoch != state.memory.epoch;
                state.judges.iter().any(again)
            }),
            Property::sometimes(
                "a judge waits for an overhaul",
                |_: &Self, state: &State| {
                    let waits = |judge: &Judge| judge.next == Look::Epoch;
                    state.memory.epoch % 2 == 1 && state.judges.iter().any(waits)
                },
            ),
            Property::sometimes(
                "a slot changes between two looks",
                |_: &Self, state: &State| {
                    let changed = |judge: &Judge| judge.next == Look::SlotAgain;
                    state.memory.slot != Tag::A && state.judges.iter().any(changed)
                },
            ),
            Property::sometimes(
                "a computed entry of a new log is kept current",
                |_: &Self, state: &State| {
                    state.entry.log > 1 && state.entry.judged == state.memory.epoch
                },
            ),
        ]
    }
}

/// Two judges of one entry, or one and more that changes.
pub(crate) fn cases() -> [Case; 2] {
    let both = Case {
        name: "epoch",
        about: "the view without a lock, by single loads and stores: what a judge says while the \
                view changes, and how long that may be kept",
        bounds: "2 judges (in `cargo test` 1), a writer (any number in turn), a compute; 2 tags, a \
                 bucket with 1 slot; 2 changes: append, learn, start anew in the same log or in \
                 another",
        rules: RULES.to_vec(),
        extent: Extent::Everything,
        run: Box::new(|run| match run.size {
            Size::Whole if run.rules.all() => explored(run, 2, 2),
            Size::Small | Size::Whole => explored(run, 1, 2),
        }),
    };
    let long = Case {
        name: "epoch-long",
        about: "the same for longer: what several changes leave to a judge",
        bounds: "1 judge, 3 changes (in `cargo test` 2); the rest as there",
        rules: Vec::new(),
        extent: Extent::Everything,
        run: Box::new(|run| match run.size {
            Size::Whole => explored(run, 1, 3),
            Size::Small => explored(run, 1, 2),
        }),
    };
    [both, long]
}

fn explored(run: &Run, judges: usize, changes: usize) -> Explored {
    let model = Epoch {
        rules: run.rules,
        judges,
        changes,
    };
    if run.rules.all() {
        explore::explore(model, &run.limits)
    } else {
        explore::refute(model, &run.limits)
    }
}
