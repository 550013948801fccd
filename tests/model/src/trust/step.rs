//! What can happen next, and what it changes: time, mutations, the server, the connection and what
//! the reader makes of what it brings.

use super::{
    Answer, Connection, Delivery, Entry, Log, Made, Mutation, R, Rank, Request, State, TRUST,
    Ticks, Trouble, Trust,
};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Tick,
    Suspend,
    SetBack,
    Promote,
    Depose,
    MutateElsewhere,
    Mutate,
    Settle,
    Compute,
    Send(Request),
    TimeOut,
    GiveUp,
    Serve(Request),
    Deliver(Delivery),
    Sever,
    Lose,
    Connect(Log),
    Late,
}

impl Trust {
    pub(super) fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        steps.push(Step::Tick);
        if state.trouble == Trouble::Suspends {
            steps.push(Step::Suspend);
        }
        if state.trouble == Trouble::SetBack && !state.set_back {
            steps.push(Step::SetBack);
        }
        match state.rank {
            Rank::Primary => steps.push(Step::Promote),
            Rank::Replaced => steps.push(Step::Depose),
            Rank::Deposed(_) => {}
        }
        if state.mutations.len() < self.mutations {
            if self.has_room(state) {
                steps.push(Step::MutateElsewhere);
            }
            let pending = |made: &Mutation| made.state == Made::Pending;
            if !state.mutations.iter().any(pending) && self.has_room(state) {
                steps.push(Step::Mutate);
            }
        }
        if state.view.log.is_some() {
            steps.push(Step::Compute);
        }
        if state.late.is_some() {
            steps.push(Step::Late);
        }
        if let Some(connection) = &state.connection {
            self.on_connection(state, connection, steps);
            return;
        }
        if !matches!(state.rank, Rank::Deposed(_)) {
            steps.push(Step::Connect(Log::Old));
        }
        if state.rank != Rank::Primary {
            steps.push(Step::Connect(Log::New));
        }
    }

    fn on_connection(&self, state: &State, connection: &Connection, steps: &mut Vec<Step>) {
        if state.asked.is_none() && connection.up.len() < self.requests {
            // A catch-up goes out when a note has come, and at first.
            let request = if state.view.behind {
                Request::CatchUp
            } else {
                Request::Beat
            };
            steps.push(Step::Send(request));
        }
        if state.asked.is_some() {
            steps.push(Step::TimeOut);
        }
        let pending = |made: &Mutation| made.state == Made::Pending;
        if state.mutations.iter().any(pending) {
            steps.push(Step::GiveUp);
        }
        let is_append = |delivery: &Delivery| {
            let of = Request::Append;
            matches!(delivery, Delivery::Reply { of: it, .. } if *it == of)
        };
        let mut up = connection.up.iter();
        let appends =
            up.any(|(sent, _)| *sent == Request::Append) || connection.down.iter().any(is_append);
        if state.owes() && !appends && self.has_room(state) {
            steps.push(Step::Settle);
        }
        if let Some((request, _)) = connection.up.first()
            && !connection.severed
        {
            steps.push(Step::Serve(*request));
        }
        if let Some(delivery) = connection.down.first() {
            steps.push(Step::Deliver(*delivery));
        }
        if !connection.severed {
            steps.push(Step::Sever);
        }
        steps.push(Step::Lose);
    }

    pub(super) fn take(&self, state: &mut State, step: Step) {
        match step {
            Step::Tick => self.tick(state, 1),
            Step::Suspend => self.tick(state, 0),
            Step::SetBack => {
                state.set_back = true;
                state.trusted.wall += TRUST.cast_signed();
                if let Some(sent) = &mut state.asked {
                    sent.wall -= TRUST.cast_signed();
                }
            }
            Step::Promote => state.rank = Rank::Replaced,
            Step::Depose => state.rank = Rank::Deposed(0),
            Step::MutateElsewhere => {
                let log = match state.rank {
                    Rank::Primary => Log::Old,
                    Rank::Replaced | Rank::Deposed(_) => Log::New,
                };
                append(state, log);
                state.mutations.push(Mutation {
                    own: false,
                    state: Made::Acknowledged { log, age: 0 },
                });
            }
            Step::Mutate => {
                let sent = send(state, Request::Append);
                state.mutations.push(Mutation {
                    own: true,
                    state: if sent { Made::Pending } else { Made::Owed },
                });
            }
            Step::Settle => {
                send(state, Request::Append);
            }
            Step::Compute => {
                if let Some(log) = state.view.log {
                    state.entry = Entry {
                        log,
                        here: true,
                        version: state.view.head,
                        has: state.mutations.len() as u8,
                    };
                }
            }
            Step::Send(request) => {
                state.asked = Some(Ticks::default());
                state.view.behind = false;
                send(state, request);
            }
            Step::TimeOut => {
                // If it was a catch-up, what was noted is not covered; another one does no harm.
                state.view.behind = true;
                state.asked = None;
                unwanted(state, |request| request != Request::Append);
            }
            Step::GiveUp => {
                owe(state);
                unwanted(state, |request| request == Request::Append);
            }
            Step::Serve(_) => self.serve(state),
            Step::Deliver(_) => self.deliver(state),
            Step::Sever => {
                if let Some(connection) = &mut state.connection {
                    connection.severed = true;
                    connection.up.clear();
                }
            }
            Step::Lose => lose(state),
            Step::Connect(log) => {
                state.connection = Some(self.connection(state, log));
                // The first thing that an attach reads is the log's state.
                self.take(state, Step::Send(Request::CatchUp));
            }
            Step::Late => {
                if let Some(Answer::State { log, head }) = state.late.take()
                    && !self.keeps(R::Generation)
                {
                    install(state, log, head);
                }
            }
        }
    }

    /// A connection that has just been made.
    pub(super) fn connection(&self, state: &State, to: Log) -> Connection {
        Connection {
            to,
            tracked: state.sends_notes() || !self.keeps(R::Proof),
            armed: false,
            severed: false,
            up: Vec::new(),
            down: Vec::new(),
        }
    }

    /// Time passes, on the monotonic clock by so much.
    fn tick(&self, state: &mut State, monotonic: u8) {
        for made in &mut state.mutations {
            if let Made::Acknowledged { age, .. } = &mut made.state {
                *age = (*age + 1).min(TRUST);
            }
        }
        if let Rank::Deposed(age) = &mut state.rank {
            *age = (*age + 1).min(TRUST);
        }
        if let Some(sent) = &mut state.asked {
            sent.monotonic = (sent.monotonic + monotonic).min(TRUST);
            sent.wall = (sent.wall + 1).min(TRUST.cast_signed());
        }
        // A clock that is not looked at might as well stand still.
        let ends = self.keeps(R::Ends);
        if ends && self.keeps(R::Monotonic) {
            state.trusted.monotonic = state.trusted.monotonic.saturating_sub(monotonic);
        }
        if ends && self.keeps(R::Wall) {
            state.trusted.wall = (state.trusted.wall - 1).max(-TRUST.cast_signed());
        }
    }

    /// Whether each log may get another record, with all appends that are under way.
    fn has_room(&self, state: &State) -> bool {
        let connection = state.connection.iter();
        let under_way = connection.flat_map(|connection| &connection.up);
        let appends = under_way
            .filter(|(sent, _)| *sent == Request::Append)
            .count() as u8;
        state.heads.iter().all(|head| head + appends < self.records)
    }

    /// Leaves out what makes no difference any more.
    pub(super) fn forget(&self, state: &mut State) {
        let (view, entry) = (state.view, &mut state.entry);
        // An entry that is outdated stays so, and the next one has every mutation until then.
        let followed = entry.here || !self.keeps(R::Numbered);
        if !followed || (view.log == Some(entry.log) && view.tag > entry.version) {
            *entry = Entry {
                log: Log::Old,
                here: false,
                version: 0,
                has: state.mutations.len() as u8,
            };
        }
        for made in state.mutations.iter_mut().take(entry.has.into()) {
            if let Made::Acknowledged { log, age } = &mut made.state {
                (*log, *age) = (Log::Old, TRUST);
            }
        }
        if let Rank::Deposed(age) = &mut state.rank
            && view.log != Some(Log::Old)
        {
            *age = TRUST;
        }
        if self.keeps(R::Generation) {
            // It will decide nothing.
            state.late = None;
        }
        if self.rules.all() {
            one_clock(state);
        }
        if let Some(connection) = &mut state.connection {
            let Connection { up, down, .. } = connection;
            up.retain(|&(request, wanted)| wanted || request != Request::Beat);
            down.retain(|delivery| !matches!(delivery, Delivery::Reply { wanted: false, .. }));
            down.dedup_by(|next, note| *next == Delivery::Note && *note == Delivery::Note);
        }
    }

    /// The server takes the next request.
    fn serve(&self, state: &mut State) {
        let Some(connection) = &mut state.connection else {
            return;
        };
        let to = connection.to;
        let (of, wanted) = connection.up.remove(0);
        let deposed = to == Log::Old && matches!(state.rank, Rank::Deposed(_));
        // Whatever it is told, it does not append any more.
        let writes = of == Request::Append || self.keeps(R::Write);
        let says = match of {
            _ if deposed && writes => Answer::Refused,
            Request::Append => Answer::Appended {
                log: to,
                version: state.heads[to as usize] + 1,
            },
            Request::Beat => Answer::State {
                log: to,
                head: state.heads[to as usize],
            },
            Request::CatchUp => {
                connection.armed = true;
                Answer::State {
                    log: to,
                    head: state.heads[to as usize],
                }
            }
        };
        connection.down.push(Delivery::Reply { of, says, wanted });
        if matches!(says, Answer::Appended { .. }) {
            // The note of one's own write comes after its reply.
            append(state, to);
        }
    }

    /// The reader takes what comes next on its connection.
    fn deliver(&self, state: &mut State) {
        let Some(connection) = &mut state.connection else {
            return;
        };
        let tracked = connection.tracked;
        match connection.down.remove(0) {
            Delivery::Note => state.view.behind = true,
            Delivery::Reply { says, wanted, of } => match says {
                _ if !wanted => {}
                Answer::Refused if of == Request::Append => owe(state),
                Answer::Refused => lose(state),
                Answer::Appended { log, version } => self.appended(state, log, version),
                Answer::State { log, head } => {
                    let Some(sent) = state.asked.take() else {
                        return;
                    };
                    let age = if self.keeps(R::Sending) {
                        sent
                    } else {
                        Ticks::default()
                    };
                    let proves = match of {
                        Request::CatchUp => install(state, log, head),
                        _ => state.view.log == Some(log) && state.view.head == head,
                    };
                    if !proves && (of == Request::CatchUp || self.keeps(R::Head)) {
                        state.view.behind = true;
                    } else if tracked {
                        trust(state, age);
                    }
                }
            },
        }
    }

    /// An own append was acknowledged: its caller, or its debt, is told.
    fn appended(&self, state: &mut State, log: Log, version: u8) {
        let mut own = state.mutations.iter_mut();
        let made = own.find(|made| matches!(made.state, Made::Pending | Made::Owed));
        let Some(made) = made else {
            return;
        };
        let was_owed = made.state == Made::Owed;
        made.state = Made::Acknowledged { log, age: 0 };
        if !self.keeps(R::Apply) && !was_owed {
            return;
        }
        if state.view.log == Some(log) {
            state.view.tag = state.view.tag.max(version);
            if version == state.view.head + 1 {
                state.view.head = version;
            }
        } else {
            state.entry.here = false;
            state.view.log = None;
            state.view.head = 0;
            state.view.behind = true;
        }
    }
}

/// The view is trusted from so long ago on.
pub(super) fn trust(state: &mut State, age: Ticks) {
    // As the product has it: the monotonic end only forward, the other as it comes.
    let monotonic = TRUST - age.monotonic;
    state.trusted.monotonic = state.trusted.monotonic.max(monotonic);
    state.trusted.wall = TRUST.cast_signed() - age.wall;
}

/// Sends a request, if there is a connection. Where the server has forgotten that, it goes nowhere.
fn send(state: &mut State, request: Request) -> bool {
    let Some(connection) = &mut state.connection else {
        return false;
    };
    if !connection.severed {
        connection.up.push((request, true));
    }
    true
}

/// The clock that counts less than the other never ends the trust: with both looked at, it shows
/// what the other shows.
fn one_clock(state: &mut State) {
    let clocks = state.asked.iter_mut().chain([&mut state.trusted]);
    for ticks in clocks {
        match state.trouble {
            Trouble::Suspends => ticks.monotonic = ticks.wall.max(0).cast_unsigned(),
            Trouble::SetBack => ticks.wall = ticks.monotonic.cast_signed(),
            Trouble::NoNotes => {}
        }
    }
}

/// A record is added: whoever is to be noted is.
fn append(state: &mut State, log: Log) {
    state.heads[log as usize] += 1;
    let notes = state.sends_notes();
    if let Some(connection) = &mut state.connection
        && connection.to == log
        && !connection.severed
        && std::mem::take(&mut connection.armed)
        && notes
    {
        connection.down.push(Delivery::Note);
    }
}

/// What a catch-up read. Returns whether the view could go on from what it knew.
fn install(state: &mut State, log: Log, head: u8) -> bool {
    let view = &mut state.view;
    let goes_on = view.log == Some(log);
    if goes_on {
        // Each record from the known head on moves the tag.
        if head > view.head {
            view.tag = view.tag.max(head);
            view.head = head;
        }
    } else {
        state.entry.here = false;
        view.log = Some(log);
        view.head = head;
        view.tag = head;
    }
    goes_on
}

/// Who waits for an append gets no answer: it is owed.
fn owe(state: &mut State) {
    for made in &mut state.mutations {
        if made.state == Made::Pending {
            made.state = Made::Owed;
        }
    }
}

/// Nobody waits any longer for requests of this kind: their answers will be thrown away.
fn unwanted(state: &mut State, is_one: impl Fn(Request) -> bool) {
    let Some(connection) = &mut state.connection else {
        return;
    };
    for (request, wanted) in &mut connection.up {
        *wanted &= !is_one(*request);
    }
    for delivery in &mut connection.down {
        if let Delivery::Reply { of, wanted, .. } = delivery {
            *wanted &= !is_one(*of);
        }
    }
}

/// The connection is given up. An answer that has been received already may come to light later.
fn lose(state: &mut State) {
    owe(state);
    state.asked = None;
    let Some(connection) = state.connection.take() else {
        return;
    };
    let late = connection.down.iter().find_map(|delivery| match delivery {
        Delivery::Reply {
            of: Request::CatchUp,
            says: says @ Answer::State { .. },
            wanted: true,
        } => Some(*says),
        _ => None,
    });
    state.late = late.or(state.late);
    state.view.behind = false;
}
