//! What goes wrong: what the server loses, who dies, which connection is cut, who is dropped.

use super::Fleet;
use super::rules::Rule;
use super::scopes::Fault;
use super::state::{Barrier, Call, Doing, Flight, Message, Phase, Process, Put, Reading, State};
use super::step::Step;
use super::store::Store;

impl Fleet {
    /// Everything that is neither a new call nor a fault.
    pub(super) fn work(&self, state: &State, steps: &mut Vec<Step>) {
        self.call_steps(state, steps);
        self.process_steps(state, steps);
        self.mutation_steps(state, steps);
        self.put_steps(state, steps);
        if state.store.lease.is_some() && self.has(Rule::LeaseExpires) {
            steps.push(Step::ExpireLease);
        }
    }

    /// Mutations that may begin, and what may go wrong.
    pub(super) fn trouble(&self, state: &State, steps: &mut Vec<Step>) {
        for mutation in 0..self.scope.mutations.len() as u8 {
            if self.may_start(state, mutation) {
                steps.push(Step::Start(mutation));
            }
        }
        if self.scope.puts && state.put == Put::Ready {
            steps.push(Step::Handle);
        }
        if state.turns > 0 {
            steps.push(Step::Rotate);
        }
        if state.cancels > 0 {
            for (call, _) in self.all_calls() {
                if self.may_cancel(state, call) {
                    steps.push(Step::Cancel(call));
                }
            }
        }
        if state.faults > 0 {
            for &fault in self.scope.faults {
                self.faults(state, fault, steps);
            }
        }
    }

    fn faults(&self, state: &State, fault: Fault, steps: &mut Vec<Step>) {
        let store = &state.store;
        let may = match fault {
            Fault::Disconnect | Fault::Crash => {
                for (at, process) in state.processes.iter().enumerate() {
                    let may = match fault {
                        Fault::Disconnect => process.connected,
                        // Somebody is left to see what comes of it.
                        _ => {
                            !process.dead
                                && state.processes.iter().filter(|one| !one.dead).count() > 1
                        }
                    };
                    if may {
                        steps.push(Step::Fault(fault, at as u8));
                    }
                }
                return;
            }
            Fault::Copy => state.copy.is_none(),
            Fault::Failover => state.copy.is_some(),
            Fault::LoseMeta => store.meta.is_some(),
            Fault::LoseTags => store.hashes.iter().any(Option::is_some),
            Fault::LoseRecords => !store.records.is_empty(),
            Fault::LoseMarks => store.marks.is_some(),
            Fault::Flush | Fault::Restart => true,
        };
        if may {
            steps.push(Step::Fault(fault, 0));
        }
    }

    pub(super) fn fault(&self, state: &mut State, fault: Fault, at: usize) {
        // That a copy is made is no fault yet.
        state.faults -= u8::from(fault != Fault::Copy);
        match fault {
            Fault::Flush => {
                state.store = Store::empty(state.store.identity);
                state.granted = None;
                self.note(state);
                self.wake(state);
            }
            Fault::LoseMeta => state.store.meta = None,
            Fault::LoseTags => state.store.hashes = [None; 2],
            Fault::LoseRecords => {
                state.store.records.clear();
                self.note(state);
            }
            Fault::LoseMarks => state.store.marks = None,
            Fault::Restart => self.replace(state, Store::empty(0)),
            Fault::Copy => state.copy = Some(state.store.clone()),
            Fault::Failover => {
                if let Some(copy) = state.copy.take() {
                    self.replace(state, copy);
                }
            }
            Fault::Disconnect => self.disconnect(state, at),
            Fault::Crash => self.crash(state, at),
        }
    }

    /// Another server takes the place of the one that is there.
    fn replace(&self, state: &mut State, mut store: Store) {
        store.identity = state.store.identity + 1;
        state.store = store;
        state.granted = None;
        for at in 0..self.scope.processes {
            self.disconnect(state, at);
        }
    }

    fn disconnect(&self, state: &mut State, at: usize) {
        if !self.has(Rule::Generation) && state.processes[at].connected {
            // What had been sent before is handled later.
            let decides = |one: &Message| matches!(one, Message::CaughtUp(_) | Message::Marks(..));
            let late = state.processes[at].inbound.iter().find(|one| decides(one));
            state.processes[at].late = late.cloned();
        }
        let process = &mut state.processes[at];
        process.connected = false;
        process.armed = false;
        process.watches = false;
        process.inbound.clear();
        process.reading = Reading::Nothing;
        process.barrier = Barrier::default();
        for (call, home) in self.all_calls() {
            if home == at && self.needs_the_server(state.call(call)) {
                // It computes on its own.
                self.abandon(state, call);
                self.end_call(state, call);
            }
        }
        for (number, mutation) in self.scope.mutations.iter().enumerate() {
            let one = &mut state.mutations[number];
            if usize::from(mutation.home) != at || one.dead {
                continue;
            }
            one.phase = match one.phase {
                // With `required` the body does not run.
                Doing::Marking | Doing::Answering => Doing::Done,
                Doing::Appending | Doing::Ending => Doing::Owed,
                phase => phase,
            };
        }
    }

    fn needs_the_server(&self, call: &Call) -> bool {
        !matches!(
            call.phase,
            Phase::Idle
                | Phase::Missed
                | Phase::Following { .. }
                | Phase::Leading
                | Phase::Body(_)
                | Phase::Computed(..)
        )
    }

    fn crash(&self, state: &mut State, at: usize) {
        let process = &mut state.processes[at];
        *process = Process::default();
        process.dead = true;
        for (call, home) in self.all_calls() {
            if home == at {
                if let Some(flight) = state.call(call).leads {
                    state.flights[usize::from(flight)] = Flight::None;
                }
                *state.call(call) = Call::default();
            }
        }
        for (number, mutation) in self.scope.mutations.iter().enumerate() {
            if usize::from(mutation.home) == at {
                state.mutations[number].dead = true;
            }
        }
    }
}
