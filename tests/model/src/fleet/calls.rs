//! A call, from its look-up to its answer. What it does in a flight, and for a lease, is beside.

use super::rules::Rule;
use super::state::{At, Barrier, Call, Fill, Holder, Kept, Message, Phase, State, lacks, most};
use super::step::Step;
use super::store::{Answer, Entry, Lease};
use super::view::{ALL, Judgement};
use super::{FRESH, Fleet, LEASE, ORDER};

impl Fleet {
    /// The process of a call.
    pub(super) fn home(&self, call: u8) -> usize {
        usize::from(self.scope.calls[usize::from(call)])
    }

    /// Every call, with its process.
    pub(super) fn all_calls(&self) -> impl Iterator<Item = (u8, usize)> + use<> {
        let homes = self.scope.calls.iter().map(|&home| usize::from(home));
        (0..).zip(homes)
    }

    /// Calls that may begin.
    pub(super) fn beginnings(&self, state: &State, steps: &mut Vec<Step>) {
        for (call, home) in self.all_calls() {
            let process = &state.processes[home];
            let idle = state.calls[usize::from(call)].phase == Phase::Idle && !process.dead;
            // Without the server, and without a value here, it computes on its own.
            let hopes =
                process.connected || (!self.scope.strict && self.local(state, home).is_some());
            if idle && hopes {
                steps.push(Step::Begin(call));
            }
        }
    }

    /// What a call may do next.
    pub(super) fn call_steps(&self, state: &State, steps: &mut Vec<Step>) {
        for (call, home) in self.all_calls() {
            let process = &state.processes[home];
            let up_to_date = self.is_up_to_date(state, home);
            match state.calls[usize::from(call)].phase {
                Phase::Proven if up_to_date => steps.push(Step::LookLocal(call)),
                Phase::Getting => steps.push(Step::ServeGet(call)),
                Phase::Judging(_) if up_to_date => steps.push(Step::Judge(call)),
                Phase::Asking(_) => steps.push(Step::ServeAsk(call)),
                Phase::Asked(..) => steps.push(Step::HearAnswer(call)),
                Phase::Missed => steps.push(Step::Fly(call)),
                Phase::Following { flight, .. } if self.has_come(state, flight) => {
                    steps.push(Step::Arrive(call));
                }
                Phase::Leading => steps.push(Step::Lead(call)),
                Phase::Bidding { .. } if process.connected => steps.push(Step::ServeBid(call)),
                Phase::Granted(_) if up_to_date => steps.push(Step::TakeGrant(call)),
                Phase::Waiting { holder, woken } if woken || !is_held(state, holder) => {
                    steps.push(Step::LookForLease(call));
                }
                Phase::Body(_) => {
                    steps.push(Step::Compute(call));
                    if self.scope.failures && call == 0 {
                        steps.push(Step::Fail(call));
                    }
                }
                Phase::Computed(..) => steps.push(Step::NoteLate(call)),
                Phase::Filling(..) if process.connected => steps.push(Step::ServeFill(call)),
                _ => {}
            }
        }
    }

    /// Whether every note that has come is covered by what has been read.
    pub(super) fn is_up_to_date(&self, state: &State, home: usize) -> bool {
        let apart = self.scope.split && !self.scope.strict;
        !state.processes[home].behind || apart || !self.has(Rule::WaitForCatchUp)
    }

    /// The value in the process, if it looks current.
    pub(super) fn local(&self, state: &State, home: usize) -> Option<Entry> {
        let process = &state.processes[home];
        let kept = process.local.filter(|_| self.scope.local)?;
        let current = || self.judges(state, home, kept.entry.at, ALL) == Judgement::Current;
        (kept.judged || current()).then_some(kept.entry)
    }

    /// Looks at it, and remembers what it was found to be until the view changes.
    fn look(&self, state: &mut State, home: usize) -> Option<Entry> {
        let entry = self.local(state, home)?;
        state.processes[home].local = Some(Kept {
            entry,
            judged: true,
        });
        Some(entry)
    }

    pub(super) fn judges(&self, state: &State, home: usize, at: At, cells: u8) -> Judgement {
        state.processes[home].view.judge(self, at, cells)
    }

    pub(super) fn begin(&self, state: &mut State, call: u8) {
        let home = self.home(call);
        let process = &state.processes[home];
        let wanted = if self.scope.strict {
            most(state.acked, state.guarded)
        } else {
            most(process.own, process.view.told)
        };
        let local = self.look(state, home);
        let one = state.call(call);
        one.wanted = wanted;
        one.phase = Phase::Getting;
        let proves = match (self.scope.strict, local) {
            (_, Some(entry)) if !self.scope.strict || !self.has(Rule::LocalNeedsProof) => {
                let kept = Kept {
                    entry,
                    judged: true,
                };
                state.processes[home].local = Some(kept);
                return self.answer(state, call, entry);
            }
            (true, local) => {
                local.is_some() || (self.scope.split && self.has(Rule::ClusterNeedsProof))
            }
            (false, _) => false,
        };
        if state.processes[home].flight.is_some() && !self.has(Rule::JoiningNeedsProof) {
            // It joins before it looks.
            state.call(call).phase = Phase::Missed;
        } else if proves {
            state.call(call).phase = Phase::Awaiting;
            self.ask_for_proof(&mut state.processes[home].barrier, call);
        }
    }

    fn ask_for_proof(&self, barrier: &mut Barrier, call: u8) {
        if barrier.sent == 0 || !self.has(Rule::BarrierAfterAsking) {
            barrier.sent |= 1 << call;
        } else {
            barrier.next |= 1 << call;
        }
    }

    pub(super) fn look_local(&self, state: &mut State, call: u8) {
        match self.look(state, self.home(call)) {
            Some(entry) => self.answer(state, call, entry),
            None => state.call(call).phase = Phase::Getting,
        }
    }

    pub(super) fn serve_get(&self, state: &mut State, call: u8) {
        let entry = state.store.entry;
        if self.scope.split {
            // Another connection: in no order with the notes of the log.
            state.call(call).phase = Phase::Judging(entry);
            return;
        }
        state.call(call).phase = Phase::Awaiting;
        state.processes[self.home(call)]
            .inbound
            .push(Message::Got(call, entry));
    }

    pub(super) fn judge(&self, state: &mut State, call: u8, entry: Option<Entry>) {
        let home = self.home(call);
        if !self.scope.split {
            // The reply to what it has sent itself, on the connection of the notes.
            state.call(call).proven = true;
        }
        let Some(entry) = entry else {
            return self.miss(state, call);
        };
        match self.judges(state, home, entry.at, ALL) {
            Judgement::Current => self.found(state, call, entry),
            Judgement::Outdated => {
                self.miss(state, call);
            }
            Judgement::Unknown => state.call(call).phase = Phase::Asking(entry),
            // Read on: what it was noted at is known then.
            Judgement::Ahead => {
                let process = &mut state.processes[home];
                process.behind = true;
                process.again = true;
            }
        }
    }

    pub(super) fn serve_ask(&self, state: &mut State, call: u8, entry: Entry) {
        state.call(call).phase = match state.store.ask(self) {
            Some(answer) => Phase::Asked(entry, answer),
            None => Phase::Judging(None),
        };
    }

    /// The answer alone decides, whatever the view has moved to; and the view learns from it.
    pub(super) fn hear_answer(&self, state: &mut State, call: u8, entry: Entry, answer: Answer) {
        let home = self.home(call);
        state.processes[home].view.learn(self, answer);
        self.stir(state, home);
        state.call(call).proven = true;
        let log = answer.state;
        let other_log = entry.at.log != log.log && self.has(Rule::EntriesCarryTheLog);
        let outdated = other_log
            || entry.at.head < log.floor
            || entry.at.head > log.head
            || answer.at.iter().any(|&moved| moved > entry.at.head);
        if outdated {
            self.miss(state, call);
        } else {
            self.found(state, call, entry);
        }
    }

    /// A current entry of the store's.
    pub(super) fn found(&self, state: &mut State, call: u8, entry: Entry) {
        self.keep(state, self.home(call), entry);
        if state.call(call).leads.is_some() {
            self.land(state, call, entry, true);
        }
        self.answer(state, call, entry);
    }

    pub(super) fn keep(&self, state: &mut State, home: usize, entry: Entry) {
        if self.scope.local {
            let judged = false;
            state.processes[home].local = Some(Kept { entry, judged });
        }
    }

    pub(super) fn miss(&self, state: &mut State, call: u8) {
        let leads = state.call(call).leads.is_some();
        if leads {
            self.bid(state, call, 0);
        } else if self.scope.flights {
            state.call(call).phase = Phase::Missed;
        } else {
            self.start_body(state, call);
        }
    }

    /// The head is noted, and the body begins.
    pub(super) fn start_body(&self, state: &mut State, call: u8) {
        let at = state.processes[self.home(call)].view.at;
        self.flies_from(state, call, at);
        state.call(call).phase = Phase::Body(at);
    }

    pub(super) fn compute(&self, state: &mut State, call: u8, at: At) {
        let made = state.truth;
        if self.has(Rule::HeadBeforeCompute) {
            self.commit(state, call, Entry { at, made });
        } else {
            state.call(call).phase = Phase::Computed(at, made);
        }
    }

    pub(super) fn note_late(&self, state: &mut State, call: u8, made: super::state::Cells) {
        let at = state.processes[self.home(call)].view.at;
        self.commit(state, call, Entry { at, made });
    }

    fn commit(&self, state: &mut State, call: u8, entry: Entry) {
        let one = state.call(call);
        let may = !self.scope.leases || one.holds;
        if entry.at.log == 0 || !may {
            // It stays in this process.
            self.keep(state, self.home(call), entry);
            self.land(state, call, entry, false);
            return self.answer(state, call, entry);
        }
        one.phase = Phase::Filling(entry.at, entry.made);
    }

    pub(super) fn serve_fill(&self, state: &mut State, call: u8, entry: Entry) {
        let token = state.take_token(call);
        let stored = self.fill(state, Fill { entry, token });
        if self.scope.local || self.scope.flights {
            state.call(call).phase = Phase::Awaiting;
            let message = Message::Filled(call, stored);
            state.processes[self.home(call)].inbound.push(message);
            // What the reply is about is kept where it was.
            state.call(call).pending = Some(entry);
        } else {
            self.answer(state, call, entry);
        }
    }

    /// `fill.lua`.
    pub(super) fn fill(&self, state: &mut State, fill: Fill) -> bool {
        let Fill { entry, token } = fill;
        if let Some((token, holder)) = token {
            let holds = matches!(state.store.lease, Some(Lease::Held(held)) if held.token == token);
            if !holds && self.has(Rule::CommitByToken) {
                return false;
            }
            if state.granted != Some(holder) {
                state.breaks(LEASE);
            }
            state.granted = None;
            state.store.lease = None;
            self.wake(state);
        }
        let there = state.store.entry;
        let newer = there
            .is_some_and(|there| there.at.log == entry.at.log && there.at.head > entry.at.head);
        if newer && (token.is_some() || self.has(Rule::HigherStays)) {
            return false;
        }
        if newer {
            state.breaks(ORDER);
        }
        state.store.entry = Some(entry);
        true
    }

    /// The call returns: is that what it may return?
    pub(super) fn answer(&self, state: &mut State, call: u8, entry: Entry) {
        if lacks(entry.made, state.call(call).wanted) {
            state.breaks(FRESH);
        }
        self.end_call(state, call);
    }

    /// The call is over; what it holds is let go.
    pub(super) fn end_call(&self, state: &mut State, call: u8) {
        if let Some((token, holder)) = state.take_token(call) {
            state.processes[self.home(call)].release = Some((token, holder, None));
        }
        let one = state.call(call);
        *one = Call {
            round: one.round,
            ..Call::default()
        };
    }
}

/// Whether this holder may still hold the lease.
fn is_held(state: &State, holder: u8) -> bool {
    matches!(state.store.lease, Some(Lease::Held(held)) if held.token == holder)
}

impl State {
    pub(super) fn call(&mut self, call: u8) -> &mut Call {
        &mut self.calls[usize::from(call)]
    }

    /// The lease that a call holds or has bid for, which is its own no longer.
    pub(super) fn take_token(&mut self, call: u8) -> Option<(u8, Holder)> {
        let one = self.call(call);
        let round = one.round;
        one.holds = false;
        one.token
            .take()
            .map(|token| (token, Holder { call, round }))
    }
}
