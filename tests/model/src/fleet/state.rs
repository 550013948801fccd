//! What there is: the server, the processes, their calls and mutations, at one moment. Nothing of
//! what happens to it.

use super::scopes::Scope;
use super::store::{Answer, Entry, LeaseRecord, State as Log, Store};
use super::view::View;

/// Processes, calls, mutations and cells there are room for.
pub(super) const PROCESSES: usize = 3;
pub(super) const CALLS: usize = 3;
pub(super) const MUTATIONS: usize = 2;
pub(super) const CELLS: usize = 2;

/// The number of the last change of each cell: what a database holds, or what a value was made of.
pub(super) type Cells = [u8; CELLS];

/// The higher of each.
pub(super) fn most(a: Cells, b: Cells) -> Cells {
    [a[0].max(b[0]), a[1].max(b[1])]
}

/// Whether a value made of `made` lacks something of `wanted`.
pub(super) fn lacks(made: Cells, wanted: Cells) -> bool {
    (0..CELLS).any(|cell| made[cell] < wanted[cell])
}

/// A position in a log; `log` 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct At {
    pub(super) log: u8,
    pub(super) head: u8,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) store: Store,
    /// A copy of the server that may take its place.
    pub(super) copy: Option<Store>,
    /// What the database holds.
    pub(super) truth: Cells,
    /// What has been acknowledged to anyone.
    pub(super) acked: Cells,
    /// What crash-safe mutations have committed.
    pub(super) guarded: Cells,
    pub(super) processes: [Process; PROCESSES],
    pub(super) calls: [Call; CALLS],
    pub(super) mutations: [Mutation; MUTATIONS],
    pub(super) flights: [Flight; CALLS],
    /// A value that is put by hand, once.
    pub(super) put: Put,
    /// The id of the next log.
    pub(super) next_log: u8,
    /// Faults, cancellations and rotations that may still happen.
    pub(super) faults: u8,
    pub(super) cancels: u8,
    pub(super) turns: u8,
    /// Who was granted the lease and has neither freed it nor let it expire.
    pub(super) granted: Option<Holder>,
    /// The property that does not hold.
    pub(super) broken: Option<&'static str>,
}

/// One attempt of one call at the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Holder {
    pub(super) call: u8,
    pub(super) round: bool,
}

/// A process with a cache.
#[expect(clippy::struct_excessive_bools, reason = "each changes for itself")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Process {
    pub(super) dead: bool,
    pub(super) connected: bool,
    /// Whether the server will note the next record to it, and the next change of the lease.
    pub(super) armed: bool,
    pub(super) watches: bool,
    /// What the server has sent and this process has not handled, in order.
    pub(super) inbound: Vec<Message>,
    pub(super) view: View,
    /// Whether a note came that no catch-up has covered, and whether one came since the last began.
    pub(super) behind: bool,
    pub(super) again: bool,
    pub(super) reading: Reading,
    pub(super) barrier: Barrier,
    pub(super) local: Option<Kept>,
    /// What this process has acknowledged.
    pub(super) own: Cells,
    /// The flight of the key.
    pub(super) flight: Option<u8>,
    /// What the driver has to send: the release of a lease, with the failure to leave there.
    pub(super) release: Option<(u8, Holder, Option<Cells>)>,
    /// A fill whose call is gone.
    pub(super) orphan: Option<Fill>,
    /// Whether the server of before still answers: replies of an older connection.
    pub(super) late: Option<Message>,
}

/// A value in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kept {
    pub(super) entry: Entry,
    /// Whether it was judged current, and nothing has been heard of since.
    pub(super) judged: bool,
}

/// The driver's catch-up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Reading {
    #[default]
    Nothing,
    /// Sent, from this head on.
    Sent(u8),
    /// The log's state has been read, the records have not.
    Half(u8, Log),
    /// The records have been read, and the tracking is not armed yet: only where it comes last.
    Unarmed(Message),
    /// The reply is on its way.
    Answered,
    /// It found no records: the log's state is read once more.
    Again(CaughtUp),
    /// It did not join up: the marks are read before the view starts anew.
    Marks(Log),
}

/// The shared proof of a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Barrier {
    /// The calls that the one under way is for, and whether the server has answered it.
    pub(super) sent: u8,
    pub(super) served: bool,
    /// The calls that asked after it was sent.
    pub(super) next: u8,
}

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Message {
    /// The log has moved.
    Note,
    /// The lease has changed.
    Wake,
    Got(u8, Option<Entry>),
    Proven,
    Appended {
        mutation: u8,
        log: u8,
        version: u8,
        floor: u8,
    },
    Marked {
        mutation: u8,
        log: u8,
        version: Option<u8>,
    },
    Bidden(u8, Bidden),
    Filled(u8, bool),
    CaughtUp(CaughtUp),
    /// The log is still as it was, or is not.
    Still(CaughtUp, bool),
    Marks(Log, u8),
}

/// What a catch-up brings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CaughtUp {
    /// The head that it was sent from.
    pub(super) from: u8,
    pub(super) state: Log,
    /// The version of the first record, and the records from there.
    pub(super) first: u8,
    pub(super) records: Vec<super::store::Record>,
}

/// What a bid came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Bidden {
    Granted(Option<Entry>),
    Held(LeaseRecord),
    Failed(Cells),
}

/// An entry on its way to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fill {
    pub(super) entry: Entry,
    pub(super) token: Option<(u8, Holder)>,
}

/// One call of the cached function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub(super) phase: Phase,
    /// What it must not return less than.
    pub(super) wanted: Cells,
    /// Whether the view has been proven since it began.
    pub(super) proven: bool,
    /// The flight that it leads.
    pub(super) leads: Option<u8>,
    /// The token of its lease, or of its bid.
    pub(super) token: Option<u8>,
    /// Whether that is held.
    pub(super) holds: bool,
    /// Turns with each bid.
    pub(super) round: bool,
    /// The holder that was waited for.
    pub(super) waited: Option<u8>,
    /// What it has sent to be stored.
    pub(super) pending: Option<Entry>,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    #[default]
    Idle,
    /// A reply is on its way, or a barrier.
    Awaiting,
    /// The view has been proven: it may look at the local tier.
    Proven,
    /// `GET` has been sent.
    Getting,
    /// The entry is here, to be judged.
    Judging(Option<Entry>),
    /// The log is asked about it.
    Asking(Entry),
    /// The answer is on its way, perhaps on another connection: in no order with anything.
    Asked(Entry, Answer),
    /// It is to join a flight or start one.
    Missed,
    Following {
        flight: u8,
        joined: At,
        tested: bool,
    },
    /// It leads, and is about to look once more, bid, or begin.
    Leading,
    Bidding {
        at: At,
        supersedes: u8,
    },
    /// The lease is granted; what is stored was returned with it.
    Granted(Option<Entry>),
    /// Another holds the lease.
    Waiting {
        holder: u8,
        woken: bool,
    },
    /// The body runs; the head was noted here.
    Body(At),
    Computed(At, Cells),
    /// The entry has been sent.
    Filling(At, Cells),
}

/// One mutation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Mutation {
    pub(super) phase: Doing,
    /// What it has made of its cells.
    pub(super) made: Cells,
    /// Its process is gone.
    pub(super) dead: bool,
}

/// Where a mutation stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Doing {
    #[default]
    Ready,
    /// Its mark has been sent, or answered and not heard.
    Marking,
    Answering,
    /// Its body runs under the mark.
    Guarded,
    /// Its append has been sent.
    Appending,
    Ending,
    /// The append was lost with the connection: the driver makes it up.
    Owed,
    Done,
}

/// Where a `put` stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Put {
    #[default]
    Ready,
    /// Its handle was made here.
    Noted(At),
    /// What is to be put has been read from the database.
    Read(At, Cells),
    /// Its record stands here; the entry is on its way.
    Claimed(At, Cells),
    Done,
}

/// One compute that other calls may join.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Flight {
    #[default]
    None,
    Preparing,
    Computing(At),
    /// The leader is gone and left this lease.
    Vacant(Option<(u8, Holder)>),
    /// With a value, which was found in a tier or computed; or with a failure.
    Landed {
        at: At,
        made: Cells,
        found: bool,
    },
}

impl State {
    pub(super) fn new(scope: &Scope) -> Self {
        let mut state = Self {
            store: Store::new(),
            copy: None,
            truth: [0; CELLS],
            acked: [0; CELLS],
            guarded: [0; CELLS],
            processes: Default::default(),
            calls: Default::default(),
            mutations: Default::default(),
            flights: Default::default(),
            put: Put::default(),
            next_log: 2,
            faults: scope.budget,
            cancels: scope.cancels,
            turns: scope.turns,
            granted: None,
            broken: None,
        };
        for (at, process) in state.processes.iter_mut().enumerate() {
            if at >= scope.processes {
                process.dead = true;
            } else if !scope.late.contains(&at) {
                process.connected = true;
                process.armed = scope.reads(at);
                process.view = View::at_the_beginning();
            }
        }
        state
    }

    /// Whether a call stands so.
    pub(super) fn has_call(&self, stands: impl Fn(Phase) -> bool) -> bool {
        self.calls.iter().any(|call| stands(call.phase))
    }

    /// The one property that is broken first is what is told.
    pub(super) fn breaks(&mut self, property: &'static str) {
        self.broken.get_or_insert(property);
    }

    /// Whether nobody has anything to do.
    pub(super) fn is_at_rest(&self) -> bool {
        let idle = self.calls.iter().all(|call| call.phase == Phase::Idle);
        let is_over = |mutation: &Mutation| {
            mutation.dead || matches!(mutation.phase, Doing::Ready | Doing::Done)
        };
        let standing = self.store.marks.is_some_and(|marks| marks.standing != 0);
        let waiting = self.store.lease.is_some();
        let put = matches!(self.put, Put::Ready | Put::Done);
        idle && put && self.mutations.iter().all(is_over) && !standing && !waiting
    }

    /// Forgets what nobody refers to any more, so that states that differ in nothing else are one.
    pub(super) fn tidy(&mut self, scope: &Scope) {
        for (at, process) in self.processes.iter_mut().enumerate() {
            if !scope.reads(at) {
                // Nothing is judged by what it knows.
                process.view = View::default();
                process.armed = false;
                process.behind = false;
                process.reading = Reading::Nothing;
            }
        }
        if !scope.flights {
            return;
        }
        for flight in 0..CALLS as u8 {
            let is_used = self.calls.iter().any(|call| {
                call.leads == Some(flight)
                    || matches!(call.phase, Phase::Following { flight: one, .. } if one == flight)
            });
            if !is_used {
                self.flights[usize::from(flight)] = Flight::None;
                for process in &mut self.processes {
                    if process.flight == Some(flight) {
                        process.flight = None;
                    }
                }
            }
        }
    }
}
