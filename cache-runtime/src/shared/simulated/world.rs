//! The state of a simulated store, under one lock, and what a test does to it. What its caches ask of
//! it comes from `member`.

use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use super::entries::Entries;
use super::faults::{Fault, Faults, Gate};
use super::log::Log;
use super::member::Member;
use super::operation::{Operation, OperationKind};
use crate::clock::{Clock, Instant, Millis};
use crate::log::{Record, View};
use crate::observe::Event;
use crate::shared::watch::Watches;
use crate::sync::{Mutex, MutexGuard};

/// How long a view is believed after the log went out of reach, as with a server.
const TRUST: Millis = 2_000;

/// A store, as its caches and the test that made it hold it.
#[derive(Debug)]
pub(crate) struct World {
    pub(super) clock: Arc<Clock>,
    pub(super) leases: Arc<Watches>,
    state: Mutex<State>,
}

/// What an operation works on.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) log: Log,
    pub(super) entries: Entries,
}

#[derive(Debug)]
pub(super) struct State {
    stored: Stored,
    connected: bool,
    members: Vec<Weak<Member>>,
    made: usize,
    operations: Vec<Operation>,
    pub(super) faults: Faults,
    /// Where records wait on their way to the views.
    notes: Vec<Arc<Gate>>,
}

/// What doing an operation brings with it.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// The record that it has appended.
    pub(super) record: Option<Record>,
    /// Whether the view of who asked is up to date when the answer arrives.
    pub(super) proves: bool,
    /// The lease that has changed.
    pub(super) wakes: Option<Vec<u8>>,
}

/// What became of an operation.
pub(super) enum Done<T> {
    Answered(T),
    Failed,
    Lost,
    OutOfReach,
}

impl World {
    pub(crate) fn new(clock: Arc<Clock>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            leases: Arc::default(),
            state: Mutex::new(State {
                stored: Stored {
                    log: Log::new(),
                    entries: Entries::default(),
                },
                connected: true,
                members: Vec::new(),
                made: 0,
                operations: Vec::new(),
                faults: Faults::default(),
                notes: Vec::new(),
            }),
        })
    }

    /// Locked for one step, in which no caller's code runs.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn join(&self, make: impl FnOnce(usize) -> Arc<Member>) -> Arc<Member> {
        let mut state = self.state();
        state.made += 1;
        let member = make(state.made);
        state.members.retain(|member| member.strong_count() > 0);
        state.members.push(Arc::downgrade(&member));
        if state.connected {
            state.attach(&member.view, self.clock.instant());
        }
        member
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state().connected
    }

    /// Writes down what is asked. `false` where nobody is there to be asked.
    pub(super) fn asked(&self, operation: Operation) -> bool {
        let mut state = self.state();
        if state.connected {
            state.operations.push(operation);
        }
        state.connected
    }

    /// Does an operation, whose time it is. Every view hears of its record before who asked does.
    pub(super) fn perform<T>(
        &self,
        member: &Member,
        kind: OperationKind,
        act: impl FnOnce(&mut Stored, Millis) -> (T, Effects),
    ) -> Done<T> {
        let mut guard = self.state();
        let state = &mut *guard;
        if !state.connected {
            return Done::OutOfReach;
        }
        let lost = match state.faults.strike(kind) {
            Some(Fault::Fails) => return Done::Failed,
            Some(Fault::LosesReply) => true,
            None => false,
        };
        let now = self.clock.wall();
        state.end_marks(now);
        let (answer, effects) = act(&mut state.stored, now);
        if let Some(record) = &effects.record {
            if !lost {
                member.view.confirm(&state.stored.log.id, 0, record);
            }
            state.spread();
        }
        if effects.proves && !lost {
            state.bring_up_to_date(&member.view);
        }
        drop(guard);
        if let Some(lease) = effects.wakes {
            self.leases.wake(&lease);
        }
        if lost {
            Done::Lost
        } else {
            Done::Answered(answer)
        }
    }

    // What a test does

    pub(crate) fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.state().operations.clone()
    }

    pub(crate) fn forget(&self) {
        self.state().operations.clear();
    }

    pub(crate) fn fail(&self, kind: OperationKind) {
        self.state().faults.fail(kind);
    }

    pub(crate) fn fail_next(&self, kind: OperationKind, count: usize) {
        self.state().faults.fail_next(kind, count);
    }

    pub(crate) fn lose_reply(&self, kind: OperationKind, count: usize) {
        self.state().faults.lose_reply(kind, count);
    }

    pub(crate) fn delay(&self, kind: OperationKind, delay: Duration) {
        self.state().faults.set_delay(kind, delay);
    }

    pub(crate) fn heal(&self) {
        self.state().faults.heal();
        self.settle();
    }

    pub(crate) fn take_turns(&self) {
        self.state().faults.takes_turns = true;
    }

    pub(crate) fn hold(&self, kind: OperationKind) -> Arc<Gate> {
        self.state().faults.hold(kind)
    }

    /// Holds the records back on their way to the views. A view that hears nothing is believed for
    /// as long as one that has lost its connection.
    pub(crate) fn hold_notes(&self) -> Arc<Gate> {
        let mut state = self.state();
        let gate = Arc::new(Gate::new());
        state.notes.push(Arc::clone(&gate));
        state.trust_all(self.clock.instant());
        gate
    }

    /// Lets go what waits at a gate.
    pub(crate) fn open(&self, gate: &Gate) {
        gate.open();
        let mut state = self.state();
        let held = state.notes.len();
        state.notes.retain(|gate| !gate.is_open());
        if state.notes.len() < held && state.notes.is_empty() && state.connected {
            let now = self.clock.instant();
            for member in state.members() {
                state.attach(&member.view, now);
            }
        }
    }

    pub(crate) fn disconnect(&self) {
        let members = {
            let mut state = self.state();
            if !std::mem::take(&mut state.connected) {
                return;
            }
            state.trust_all(self.clock.instant());
            state.members()
        };
        self.leases.wake_all();
        for member in members {
            member.view.stir();
            member.reporter.tell(&Event::Disconnected);
        }
    }

    pub(crate) fn reconnect(&self) {
        let members = {
            let mut state = self.state();
            if std::mem::replace(&mut state.connected, true) {
                return;
            }
            state.end_marks(self.clock.wall());
            let (members, now) = (state.members(), self.clock.instant());
            for member in &members {
                state.attach(&member.view, now);
            }
            members
        };
        for member in members {
            member.reporter.tell(&Event::Connected);
        }
        self.settle();
    }

    /// Has each cache try again what it owes.
    fn settle(&self) {
        let members = self.state().members();
        for member in members {
            member.settle();
        }
    }
}

impl State {
    fn members(&self) -> Vec<Arc<Member>> {
        self.members.iter().filter_map(Weak::upgrade).collect()
    }

    fn are_notes_held(&self) -> bool {
        self.notes.iter().any(|gate| !gate.is_open())
    }

    /// A view that is, from now on, where the log is.
    fn attach(&self, view: &View, now: Instant) {
        self.bring_up_to_date(view);
        view.trust_only_until(self.trusted(now));
    }

    /// Until when views are believed, as things stand: while the log is within reach, without an
    /// end, for nothing needs a sign of life here.
    fn trusted(&self, now: Instant) -> Instant {
        if self.connected && !self.are_notes_held() {
            return Instant {
                monotonic: Millis::MAX,
                wall: Millis::MAX,
            };
        }
        Instant {
            monotonic: now.monotonic + TRUST,
            wall: now.wall + TRUST,
        }
    }

    fn trust_all(&self, now: Instant) {
        for member in self.members() {
            member.view.trust_only_until(self.trusted(now));
        }
    }

    fn bring_up_to_date(&self, view: &View) {
        let log = &self.stored.log;
        let from = match view.identity() {
            Some((id, at)) if id == log.id && at.head == log.head() => return,
            Some((_, at)) => at.head,
            None => u64::MAX,
        };
        view.catch_up(from, &log.since(from));
    }

    /// Takes the newest record to every view, unless a test holds it back.
    fn spread(&self) {
        let held = self.notes.iter().find(|gate| !gate.is_open());
        match held {
            Some(gate) => gate.arrive(),
            None => self
                .members()
                .iter()
                .for_each(|member| self.bring_up_to_date(&member.view)),
        }
    }

    /// Ends the marks of mutations whose cache is gone, and whose time is over.
    fn end_marks(&mut self, now: Millis) {
        let members = self.members();
        let keeps = |member: &Arc<Member>, mark| member.number == mark && !member.is_closed();
        let is_kept = |keeper| members.iter().any(|member| keeps(member, keeper));
        if self.stored.log.expire(now, is_kept) {
            self.spread();
        }
    }
}
