//! Leases: bidding, waiting for another's, and what becomes of one that is dropped.

use super::rules::Rule;
use super::state::{Bidden, Fill, Flight, Holder, Message, Phase, State};
use super::store::{Entry, Lease, LeaseRecord};
use super::view::{ALL, Judgement};
use super::{FRESH, Fleet, LEASE};

impl Fleet {
    /// A bid, which notes the head anew.
    pub(super) fn bid(&self, state: &mut State, call: u8, supersedes: u8) {
        let home = self.home(call);
        let at = state.processes[home].view.at;
        if !self.scope.leases || at.log == 0 {
            return self.start_body(state, call);
        }
        if state.call(call).token.is_none() {
            let token = self.fresh_token(state, home);
            let one = state.call(call);
            one.token = Some(token);
            one.round = !one.round;
        }
        state.call(call).phase = Phase::Bidding { at, supersedes };
    }

    /// A token that nobody knows; or, without the rule, one for each process.
    fn fresh_token(&self, state: &State, home: usize) -> u8 {
        if !self.has(Rule::TokenPerFill) {
            return home as u8 + 1;
        }
        (1..u8::MAX).find(|&token| !state.knows(token)).unwrap_or(0)
    }

    /// `bid.lua`.
    pub(super) fn serve_bid(&self, state: &mut State, call: u8) {
        let Phase::Bidding { at, supersedes } = state.call(call).phase else {
            return;
        };
        let home = self.home(call);
        let (token, round, waited) = {
            let one = state.call(call);
            (one.token.unwrap_or(0), one.round, one.waited)
        };
        let me = Holder { call, round };
        state.call(call).phase = Phase::Awaiting;
        let bidden = match state.store.lease {
            Some(Lease::Failed { token, made })
                if waited == Some(token) || !self.has(Rule::FailureOfThatToken) =>
            {
                Bidden::Failed(made)
            }
            Some(Lease::Held(held)) if held.token != supersedes && held.token != token => {
                state.processes[home].watches = true;
                Bidden::Held(held)
            }
            there => {
                let taken = matches!(there, Some(Lease::Held(held)) if held.token == supersedes);
                if !taken && state.granted.is_some_and(|other| other != me) {
                    state.breaks(LEASE);
                }
                state.granted = Some(me);
                let record = LeaseRecord {
                    token,
                    at,
                    holder: me,
                };
                state.store.lease = Some(Lease::Held(record));
                self.wake(state);
                Bidden::Granted(state.store.entry)
            }
        };
        state.processes[home]
            .inbound
            .push(Message::Bidden(call, bidden));
    }

    pub(super) fn hear_bid(&self, state: &mut State, call: u8, bidden: Bidden) {
        let home = self.home(call);
        match bidden {
            Bidden::Granted(entry) => {
                state.call(call).holds = true;
                state.call(call).phase = Phase::Granted(entry);
            }
            Bidden::Held(held) => {
                let judgement = self.judges(state, home, held.at, 1);
                if judgement == Judgement::Outdated && self.has(Rule::TooOldIsSuperseded) {
                    return self.bid(state, call, held.token);
                }
                let one = state.call(call);
                one.waited = Some(held.token);
                one.phase = Phase::Waiting {
                    holder: held.token,
                    woken: false,
                };
            }
            Bidden::Failed(made) => {
                // A failure follows from what was read, as a value does.
                state.call(call).token = None;
                let at = super::state::At::default();
                let entry = Entry { at, made };
                self.land(state, call, entry, false);
                if super::state::lacks(made, state.call(call).wanted) {
                    state.breaks(FRESH);
                }
                self.end_call(state, call);
            }
        }
    }

    pub(super) fn take_grant(&self, state: &mut State, call: u8, entry: Option<Entry>) {
        let home = self.home(call);
        let current =
            entry.filter(|entry| self.judges(state, home, entry.at, ALL) == Judgement::Current);
        match current {
            Some(entry) => self.found(state, call, entry),
            None => self.start_body(state, call),
        }
    }

    pub(super) fn look_for_lease(&self, state: &mut State, call: u8) {
        state.call(call).phase = Phase::Getting;
    }

    /// The body reads the database, and fails by what it has read.
    pub(super) fn fail(&self, state: &mut State, call: u8, at: super::state::At) {
        let made = state.truth;
        let home = self.home(call);
        if let Some((token, holder)) = state.take_token(call) {
            state.processes[home].release = Some((token, holder, Some(made)));
        }
        self.land(state, call, Entry { at, made }, false);
        self.end_call(state, call);
    }

    /// `release.lua`.
    pub(super) fn release(&self, state: &mut State, home: usize) {
        let Some((token, holder, message)) = state.processes[home].release.take() else {
            return;
        };
        let Some(Lease::Held(held)) = state.store.lease else {
            return;
        };
        if held.token != token && self.has(Rule::ReleaseByToken) {
            return;
        }
        if state.granted == Some(holder) {
            state.granted = None;
        }
        state.store.lease = message.map(|made| Lease::Failed { token, made });
        self.wake(state);
    }

    pub(super) fn expire_lease(&self, state: &mut State) {
        state.store.lease = None;
        state.granted = None;
        self.wake(state);
    }

    /// The key of the lease has changed.
    pub(super) fn wake(&self, state: &mut State) {
        for process in &mut state.processes {
            if process.watches {
                process.watches = false;
                process.inbound.push(Message::Wake);
            }
        }
    }

    /// Whether a call may be dropped where it stands, and a release can be queued for it.
    pub(super) fn may_cancel(&self, state: &State, call: u8) -> bool {
        let one = &state.calls[usize::from(call)];
        let home = self.home(call);
        let free =
            state.processes[home].release.is_none() && state.processes[home].orphan.is_none();
        let takes_part = one.leads.is_some() || matches!(one.phase, Phase::Following { .. });
        takes_part && (free || one.token.is_none())
    }

    /// A call is dropped. What it had sent may still be carried out; what it held is let go.
    pub(super) fn cancel(&self, state: &mut State, call: u8) {
        let home = self.home(call);
        if let Phase::Filling(at, made) = state.call(call).phase {
            let entry = Entry { at, made };
            let (token, round) = (state.call(call).token, state.call(call).round);
            let token = token.map(|token| (token, Holder { call, round }));
            state.processes[home].orphan = Some(Fill { entry, token });
            // Its compute is done: its followers get it.
            self.land(state, call, entry, false);
        } else if let Some(entry) = state.call(call).pending {
            self.land(state, call, entry, false);
        }
        self.abandon(state, call);
        self.forget(state, call);
        self.end_call(state, call);
    }

    /// Nobody listens to what is on its way to this call.
    fn forget(&self, state: &mut State, call: u8) {
        let process = &mut state.processes[self.home(call)];
        process.inbound.retain(|message| match message {
            Message::Got(one, _) | Message::Bidden(one, _) | Message::Filled(one, _) => {
                *one != call
            }
            _ => true,
        });
        process.barrier.next &= !(1 << call);
        // One that is under way goes on, for nobody.
        if process.barrier.sent == 1 << call && !process.barrier.served {
            process.barrier.sent = 0;
        }
    }
}

impl State {
    /// Whether anybody knows this token.
    fn knows(&self, token: u8) -> bool {
        let held = |lease: Option<Lease>| match lease {
            Some(Lease::Held(held)) => held.token == token,
            Some(Lease::Failed { token: failed, .. }) => failed == token,
            None => false,
        };
        let of_call = |call: &super::state::Call| {
            let waits = matches!(call.phase, Phase::Waiting { holder, .. } if holder == token);
            let takes =
                matches!(call.phase, Phase::Bidding { supersedes, .. } if supersedes == token);
            call.token == Some(token) || call.waited == Some(token) || waits || takes
        };
        let of_message = |message: &Message| matches!(message, Message::Bidden(_, Bidden::Held(held)) if held.token == token);
        let of_process = |process: &super::state::Process| {
            let released = process.release.is_some_and(|(one, ..)| one == token);
            let filled = process.orphan.and_then(|fill| fill.token);
            let filled = filled.is_some_and(|(one, _)| one == token);
            released || filled || process.inbound.iter().any(of_message)
        };
        let left =
            |flight: &Flight| matches!(flight, Flight::Vacant(Some((one, _))) if *one == token);
        held(self.store.lease)
            || self.copy.as_ref().is_some_and(|copy| held(copy.lease))
            || self.calls.iter().any(of_call)
            || self.processes.iter().any(of_process)
            || self.flights.iter().any(left)
    }
}
