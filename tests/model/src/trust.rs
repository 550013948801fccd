//! For how long a view may be believed (`Bounded`): one reader, its view and its local tier, on a
//! connection that may fall silent, be cut, or lead to a server that has been replaced, while
//! others invalidate and time passes. The steps are in `step`, the promises in `promise`.
//!
//! What is left out, and why that is sound. There is one tag, which every record moves: with more
//! tags fewer entries are outdated by a record, and none later. Mutations elsewhere commit and
//! append in one step: nothing is promised about what lies between; and at the server in force: what
//! a replaced primary acknowledges before it knows is lost with it. A read is not a step: in every
//! state it is asked what a read that begins now would be given from the local tier. Requests are
//! sent whenever none is under way, not each second: whatever an order of sending can break, this
//! finds. A silent partition is a message that stays on its way, or a connection that the server
//! has forgotten (`severed`). What a view asks the log for (`Unknown`) counts as a miss. Times are
//! ages, counted up to where they make no difference any more, so that time and the number of
//! connections are not bounded. What nobody waits for and nothing follows from is left out of the
//! queues. Not here: leases, marks, shared hits, `Strict`.

use stateright::{Model, Property};

use crate::case::{Case, Extent, Rule, Rules, Size};
use crate::explore;

mod promise;
mod step;
mod words;

use step::{Step, trust};

/// How many ticks the view is trusted from the sending of what was answered.
const TRUST: u8 = 2;

/// The rules, in the order of [`RULES`].
#[derive(Clone, Copy)]
enum R {
    Sending,
    Write,
    Wall,
    Monotonic,
    Generation,
    Ends,
    Proof,
    Debts,
    Apply,
    Head,
    Numbered,
}

const RULES: [Rule; 11] = [
    Rule {
        name: "from-sending",
        says: "trust lasts 2 s from the sending of the last one answered, not from its answer",
        lives: "shared/redis/driver.rs: heartbeat, prove; follow.rs: pass, trust",
    },
    Rule {
        name: "beat-writes",
        says: "the heartbeat is a small write, refused by a primary that was replaced",
        lives: "shared/redis/follow.rs: state_of_log",
    },
    Rule {
        name: "counts-suspend",
        says: "trust is on a clock that counts suspend: the wall clock, beside the monotonic one",
        lives: "log.rs: is_trusted; clock.rs: instant",
    },
    Rule {
        name: "not-set-back",
        says: "trust is on the monotonic clock too: the wall clock can be set back",
        lives: "log.rs: is_trusted; clock.rs: instant",
    },
    Rule {
        name: "generations",
        says: "replies of an older generation of the connection decide nothing",
        lives: "shared/redis/follow.rs: pass (is_current); link.rs: on_push, up_to_date",
    },
    Rule {
        name: "trust-ends",
        says: "2 s without an answer, and the process stops trusting its view",
        lives: "log.rs: is_trusted; call/typed.rs",
    },
    Rule {
        name: "proven-notes",
        says: "attach proves that notes arrive before the view is trusted",
        lives: "shared/redis/attach.rs: track; follow.rs: trust",
    },
    Rule {
        name: "debts-hold",
        says: "until a debt lands, this process treats its tags as invalid",
        lives: "log/change.rs: owe, settle",
    },
    Rule {
        name: "own-applied",
        says: "an own record is applied to the view before its caller is told",
        lives: "log/change.rs: confirm; shared/redis/write.rs: append",
    },
    Rule {
        name: "heads-compared",
        says: "a heartbeat's answer with a head that is not the view's is no proof: catch up",
        lives: "shared/redis/driver.rs: reading, heartbeat",
    },
    Rule {
        name: "logs-numbered",
        says: "a log that is followed again is another one to the local tier",
        lives: "log/change.rs: start (writer.logs)",
    },
];

/// The two logs there can be: that of the server at first, and that of the one that replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Log {
    Old,
    New,
}

/// What the first server is by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Rank {
    Primary,
    /// Another has been promoted, and it does not know.
    Replaced,
    /// It has known for so long, and refuses writes.
    Deposed(u8),
}

/// What goes wrong with clocks and notes, from the beginning: each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Trouble {
    /// The machine can be suspended: its monotonic clock stands still meanwhile.
    Suspends,
    /// The wall clock can be set back.
    SetBack,
    /// What is behind the connections says OK to tracking and sends no notes.
    NoNotes,
}

/// A mutation, in the order of commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Mutation {
    own: bool,
    state: Made,
}

/// What has become of a mutation's invalidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Made {
    /// Its append is under way, and its call has not returned.
    Pending,
    /// Its call has returned without an acknowledgement.
    Owed,
    /// So long ago.
    Acknowledged { log: Log, age: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Request {
    /// Heartbeat: the log's state, and that a write is taken.
    Beat,
    /// Catch-up: that, and the records; arms the tracking.
    CatchUp,
    Append,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Answer {
    State { log: Log, head: u8 },
    Appended { log: Log, version: u8 },
    Refused,
}

/// What is on its way to the reader. Notes and replies are in one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Delivery {
    Note,
    /// Nobody waits any more for one that is not `wanted`: its request timed out.
    Reply {
        of: Request,
        says: Answer,
        wanted: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Connection {
    to: Log,
    /// Whether it may prove anything: its notes have been seen to arrive.
    tracked: bool,
    /// Whether the server will note the next record.
    armed: bool,
    /// Whether the server has forgotten it, and the reader does not know.
    severed: bool,
    /// Requests on their way, and whether anyone waits for them.
    up: Vec<(Request, bool)>,
    down: Vec<Delivery>,
}

/// The reader's view of the log. With one tag, where it is `since` is where the tag stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct View {
    log: Option<Log>,
    head: u8,
    tag: u8,
    /// Whether a note has come that no catch-up has covered.
    behind: bool,
}

/// What the local tier has: computed at this position, from these first mutations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Entry {
    log: Log,
    /// Whether the view has followed that log ever since.
    here: bool,
    version: u8,
    has: u8,
}

/// Ticks on both clocks: since something, or until something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Ticks {
    monotonic: u8,
    /// Below 0 for what the wall clock, set back since, says is still to come.
    wall: i8,
}

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    trouble: Trouble,
    /// The wall clock is set back once.
    set_back: bool,
    rank: Rank,
    /// The heads of the two logs.
    heads: [u8; 2],
    mutations: Vec<Mutation>,
    view: View,
    /// How long the view is trusted yet, on both clocks.
    trusted: Ticks,
    entry: Entry,
    /// How long ago the request for the log's state was sent that is waited for.
    asked: Option<Ticks>,
    connection: Option<Connection>,
    /// The answer to a catch-up, received on a connection that was given up, and not yet seen.
    late: Option<Answer>,
}

impl State {
    /// Whether a new connection's notes would be seen to arrive.
    fn sends_notes(&self) -> bool {
        self.trouble != Trouble::NoNotes
    }

    fn owes(&self) -> bool {
        self.mutations.iter().any(|made| made.state == Made::Owed)
    }
}

/// The model, with its bounds.
#[derive(Clone, Debug)]
struct Trust {
    rules: Rules,
    mutations: usize,
    /// In each log: debts are tried again, and may land twice.
    records: u8,
    /// On their way to the server.
    requests: usize,
}

impl Trust {
    fn keeps(&self, rule: R) -> bool {
        self.rules.keep(rule as usize)
    }
}

impl Model for Trust {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let begin = |trouble| {
            let mut state = State {
                trouble,
                set_back: false,
                rank: Rank::Primary,
                heads: [0, 0],
                mutations: Vec::new(),
                view: View {
                    log: Some(Log::Old),
                    head: 0,
                    tag: 0,
                    behind: false,
                },
                trusted: Ticks::default(),
                entry: Entry {
                    log: Log::Old,
                    here: true,
                    version: 0,
                    has: 0,
                },
                asked: None,
                connection: None,
                late: None,
            };
            let connection = Connection {
                armed: true,
                ..self.connection(&state, Log::Old)
            };
            if connection.tracked {
                trust(&mut state, Ticks::default());
            }
            state.connection = Some(connection);
            state
        };
        [Trouble::Suspends, Trouble::SetBack, Trouble::NoNotes]
            .map(begin)
            .to_vec()
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        self.steps(state, steps);
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        self.take(&mut next, step);
        self.forget(&mut next);
        (next != *state).then_some(next)
    }

    fn format_action(&self, step: &Step) -> String {
        step.to_string()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promise::properties()
    }
}

/// The case.
pub(crate) fn case() -> Case {
    Case {
        name: "trust",
        about: "for how long a view is believed: heartbeats, clocks, silent connections, a server \
                that was replaced (Bounded)",
        bounds: "a reader, a tag, 2 mutations (here or elsewhere; in `cargo test` 1), 2 records in \
                 each log, a server and its replacement, 2 requests on their way; any number of \
                 connections, any time",
        rules: RULES.to_vec(),
        extent: Extent::Everything,
        run: Box::new(|run| {
            let whole = run.size == Size::Whole;
            let model = Trust {
                rules: run.rules,
                mutations: if whole { 2 } else { 1 },
                records: 2,
                requests: 2,
            };
            if run.rules.all() {
                explore::explore(model, &run.limits)
            } else {
                explore::refute(model, &run.limits)
            }
        }),
    }
}
