//! Flights: who leads, who joins, what followers take, and what a leader that is dropped leaves.

use super::Fleet;
use super::rules::Rule;
use super::state::{At, Flight, Holder, Phase, State};
use super::store::Entry;
use super::view::{ALL, Judgement};

/// The tags that are known before the compute; the others follow from the result.
const KNOWN: u8 = 1;

impl Fleet {
    /// Whether a follower of this flight has something to look at.
    pub(super) fn has_come(&self, state: &State, flight: u8) -> bool {
        let flight = state.flights[usize::from(flight)];
        matches!(flight, Flight::Landed { .. } | Flight::Vacant(_))
    }

    pub(super) fn fly(&self, state: &mut State, call: u8) {
        let home = self.home(call);
        let view = state.processes[home].view;
        if let Some(number) = state.processes[home].flight {
            let proven =
                !self.scope.strict || state.call(call).proven || !self.has(Rule::JoiningNeedsProof);
            let flight = &mut state.flights[usize::from(number)];
            let tested = match *flight {
                Flight::Vacant(left) => {
                    *flight = Flight::Preparing;
                    return self.leads(state, call, number, left);
                }
                Flight::Preparing => Some(false),
                Flight::Computing(at) => {
                    let passes = view.judge(self, at, KNOWN) == Judgement::Current;
                    let admitted = (passes || !self.has(Rule::JoiningIsAHit)) && proven;
                    admitted.then_some(true)
                }
                Flight::None | Flight::Landed { .. } => None,
            };
            if let Some(tested) = tested {
                state.call(call).phase = Phase::Following {
                    flight: number,
                    joined: view.at,
                    tested,
                };
                return;
            }
        }
        let free = state
            .flights
            .iter()
            .position(|flight| *flight == Flight::None);
        // There is one for each call.
        let number = free.unwrap_or(usize::from(call)) as u8;
        state.flights[usize::from(number)] = Flight::Preparing;
        state.processes[home].flight = Some(number);
        self.leads(state, call, number, None);
    }

    fn leads(&self, state: &mut State, call: u8, flight: u8, left: Option<(u8, Holder)>) {
        let one = state.call(call);
        one.leads = Some(flight);
        one.phase = Phase::Leading;
        if let Some((token, holder)) = left {
            one.token = Some(token);
            one.holds = true;
            one.round = holder.round;
            if state.granted == Some(holder) {
                let round = holder.round;
                state.granted = Some(Holder { call, round });
            }
        }
    }

    pub(super) fn lead(&self, state: &mut State, call: u8) {
        let home = self.home(call);
        let proven = !self.scope.strict || state.call(call).proven;
        if let Some(entry) = self.local(state, home).filter(|_| proven) {
            self.land(state, call, entry, true);
            return self.answer(state, call, entry);
        }
        if self.scope.leases && !state.call(call).holds {
            return self.bid(state, call, 0);
        }
        self.start_body(state, call);
    }

    pub(super) fn flies_from(&self, state: &mut State, call: u8, at: At) {
        if let Some(flight) = state.call(call).leads {
            state.flights[usize::from(flight)] = Flight::Computing(at);
        }
    }

    /// The leader brings a value, found in a tier or computed.
    pub(super) fn land(&self, state: &mut State, call: u8, entry: Entry, found: bool) {
        let home = self.home(call);
        let Some(flight) = state.call(call).leads.take() else {
            return;
        };
        if state.processes[home].flight == Some(flight) {
            state.processes[home].flight = None;
        }
        let Entry { at, made } = entry;
        state.flights[usize::from(flight)] = Flight::Landed { at, made, found };
    }

    pub(super) fn arrive(&self, state: &mut State, call: u8) {
        let Phase::Following {
            flight,
            joined,
            tested,
        } = state.call(call).phase
        else {
            return;
        };
        match state.flights[usize::from(flight)] {
            Flight::Vacant(left) => {
                state.flights[usize::from(flight)] = Flight::Preparing;
                self.leads(state, call, flight, left);
            }
            Flight::Landed { at, made, found } => {
                let home = self.home(call);
                let view = state.processes[home].view;
                let proven = !self.scope.strict || state.call(call).proven;
                let tested = if tested { KNOWN } else { 0 };
                let accepted = if found {
                    proven && view.judge(self, at, ALL) == Judgement::Current
                } else {
                    !self.has(Rule::FollowerJudges) || view.accepts(at, joined, tested)
                };
                if accepted {
                    self.answer(state, call, Entry { at, made });
                } else {
                    state.call(call).phase = Phase::Missed;
                }
            }
            Flight::None | Flight::Preparing | Flight::Computing(_) => {}
        }
    }

    /// The leader is dropped: a follower takes over, with its lease.
    pub(super) fn abandon(&self, state: &mut State, call: u8) {
        let home = self.home(call);
        let Some(flight) = state.call(call).leads.take() else {
            return;
        };
        let follows =
            |phase: Phase| matches!(phase, Phase::Following { flight: one, .. } if one == flight);
        if !state.calls.iter().any(|call| follows(call.phase)) {
            if state.processes[home].flight == Some(flight) {
                state.processes[home].flight = None;
            }
            return;
        }
        if self.has(Rule::HandOver) {
            let holds = state.call(call).holds;
            let left = if holds { state.take_token(call) } else { None };
            state.flights[usize::from(flight)] = Flight::Vacant(left);
        }
    }
}
