//! What a process does with what the server sends it, and what its driver asks for.

use super::Fleet;
use super::rules::Rule;
use super::state::{CaughtUp, Message, Phase, Reading, State};
use super::step::Step;

impl Fleet {
    /// What the processes may do next, and the server for them.
    pub(super) fn process_steps(&self, state: &State, steps: &mut Vec<Step>) {
        for (at, process) in state.processes.iter().enumerate() {
            let number = at as u8;
            if process.dead {
                continue;
            }
            if !process.connected {
                steps.push(Step::Attach(number));
                continue;
            }
            if let Some(first) = process.inbound.first() {
                steps.push(Step::Deliver(number));
                let is_note = *first == Message::Note;
                let replies = process.inbound.iter().any(|one| *one != Message::Note);
                if is_note && replies && !self.has(Rule::OneConnection) {
                    steps.push(Step::Overtake(number));
                }
            }
            if process.late.is_some() {
                steps.push(Step::Late(number));
            }
            match &process.reading {
                Reading::Nothing if process.behind && process.view.at.log == 0 => {
                    steps.push(Step::Find(number));
                }
                Reading::Nothing if process.behind => steps.push(Step::CatchUp(number)),
                Reading::Nothing | Reading::Answered => {}
                Reading::Sent(_) => steps.push(Step::ServeState(number)),
                Reading::Half(..) => steps.push(Step::ServeRecords(number)),
                Reading::Unarmed(_) => steps.push(Step::ServeArm(number)),
                Reading::Again(_) => steps.push(Step::ServeAgain(number)),
                Reading::Marks(_) => steps.push(Step::ServeMarks(number)),
            }
            if process.barrier.sent != 0 && !process.barrier.served {
                steps.push(Step::ServeBarrier(number));
            }
            if process.release.is_some() {
                steps.push(Step::Release(number));
            }
            if process.orphan.is_some() {
                steps.push(Step::Orphan(number));
            }
        }
    }

    pub(super) fn deliver(&self, state: &mut State, home: usize) {
        let message = state.processes[home].inbound.remove(0);
        self.hear(state, home, message);
    }

    pub(super) fn overtake(&self, state: &mut State, home: usize) {
        let inbound = &mut state.processes[home].inbound;
        if let Some(at) = inbound.iter().position(|one| *one != Message::Note) {
            let message = inbound.remove(at);
            self.hear(state, home, message);
        }
    }

    pub(super) fn hear(&self, state: &mut State, home: usize, message: Message) {
        match message {
            Message::Note => {
                let process = &mut state.processes[home];
                process.behind = true;
                process.again = true;
                self.stir(state, home);
            }
            Message::Wake => {
                for (call, at) in self.all_calls() {
                    if at == home
                        && let Phase::Waiting { woken, .. } = &mut state.call(call).phase
                    {
                        *woken = true;
                    }
                }
            }
            Message::Got(call, entry) => state.call(call).phase = Phase::Judging(entry),
            Message::Proven => self.proven(state, home),
            Message::Appended {
                mutation,
                log,
                version,
                floor,
            } => {
                let head = version;
                self.hear_append(state, mutation, super::store::State { log, head, floor });
            }
            Message::Marked {
                mutation,
                log,
                version,
            } => self.hear_mark(state, mutation, log, version),
            Message::Bidden(call, bidden) => self.hear_bid(state, call, bidden),
            Message::Filled(call, stored) => self.filled(state, call, stored),
            Message::CaughtUp(caught) => {
                let found_none = caught.records.is_empty() && caught.state.head == caught.from;
                if found_none && self.has(Rule::NoRecordsAreReadTwice) {
                    state.processes[home].reading = Reading::Again(caught);
                } else {
                    self.caught_up(state, home, &caught);
                }
            }
            Message::Still(caught, true) => self.caught_up(state, home, &caught),
            Message::Still(_, false) => state.processes[home].reading = Reading::Nothing,
            Message::Marks(log, standing) => {
                let process = &mut state.processes[home];
                process.reading = Reading::Nothing;
                process.view.start(self, log, standing);
                self.stir(state, home);
            }
        }
    }

    fn proven(&self, state: &mut State, home: usize) {
        let barrier = &mut state.processes[home].barrier;
        let sent = barrier.sent;
        barrier.sent = std::mem::take(&mut barrier.next);
        barrier.served = false;
        for (call, at) in self.all_calls() {
            if at == home && sent & 1 << call != 0 && state.call(call).phase == Phase::Awaiting {
                state.call(call).proven = true;
                state.call(call).phase = Phase::Proven;
            }
        }
    }

    fn filled(&self, state: &mut State, call: u8, stored: bool) {
        let Some(entry) = state.call(call).pending.take() else {
            return;
        };
        if stored {
            self.keep(state, self.home(call), entry);
        }
        self.land(state, call, entry, false);
        self.answer(state, call, entry);
    }

    fn caught_up(&self, state: &mut State, home: usize, caught: &CaughtUp) {
        let has_marks = self.scope.has_marks();
        let process = &mut state.processes[home];
        if process.view.joins(self, caught) {
            process.view.catch_up(caught);
            process.behind = process.again;
            process.reading = Reading::Nothing;
        } else if has_marks {
            // Read after the head: what is placed later is a record above it.
            process.reading = Reading::Marks(caught.state);
        } else {
            // It stands at the head now, and one more pass joins it up with what came since.
            process.view.start(self, caught.state, 0);
            process.reading = Reading::Nothing;
        }
        self.stir(state, home);
    }

    pub(super) fn send_catch_up(&self, state: &mut State, home: usize) {
        let process = &mut state.processes[home];
        process.again = false;
        process.reading = Reading::Sent(process.view.at.head);
    }

    pub(super) fn serve_state(&self, state: &mut State, home: usize) {
        let Reading::Sent(from) = state.processes[home].reading else {
            return;
        };
        if let Some(log) = state.store.state() {
            state.processes[home].reading = Reading::Half(from, log);
        } else {
            // The log's metadata are gone: it looks for the log, or begins one.
            state.processes[home].reading = Reading::Nothing;
            self.find(state, home);
        }
    }

    pub(super) fn serve_records(&self, state: &mut State, home: usize) {
        let Reading::Half(from, log) = state.processes[home].reading else {
            return;
        };
        let store = &state.store;
        let skipped = usize::from(from.saturating_sub(store.first)).min(store.records.len());
        let message = Message::CaughtUp(CaughtUp {
            from,
            state: log,
            first: store.first + skipped as u8,
            records: store.records[skipped..].to_vec(),
        });
        let process = &mut state.processes[home];
        if self.has(Rule::ReadArms) {
            process.armed = true;
            process.inbound.push(message);
            process.reading = Reading::Answered;
        } else {
            process.reading = Reading::Unarmed(message);
        }
    }

    /// With the tracking armed: what comes later is noted.
    pub(super) fn serve_again(&self, state: &mut State, home: usize) {
        let process = &mut state.processes[home];
        let Reading::Again(caught) = std::mem::replace(&mut process.reading, Reading::Answered)
        else {
            return;
        };
        let still = state.store.state() == Some(caught.state);
        process.inbound.push(Message::Still(caught, still));
    }

    pub(super) fn serve_arm(&self, state: &mut State, home: usize) {
        let process = &mut state.processes[home];
        let Reading::Unarmed(message) = std::mem::replace(&mut process.reading, Reading::Answered)
        else {
            return;
        };
        process.armed = true;
        process.inbound.push(message);
    }

    pub(super) fn serve_marks(&self, state: &mut State, home: usize) {
        let Reading::Marks(log) = state.processes[home].reading else {
            return;
        };
        let standing = state.store.marks.map_or(0, |marks| marks.standing);
        let process = &mut state.processes[home];
        process.inbound.push(Message::Marks(log, standing));
        process.reading = Reading::Answered;
    }

    pub(super) fn serve_barrier(&self, state: &mut State, home: usize) {
        let process = &mut state.processes[home];
        process.barrier.served = true;
        process.inbound.push(Message::Proven);
    }

    /// `attach.lua`: finds the log or begins one, and has the view follow it.
    pub(super) fn find(&self, state: &mut State, home: usize) {
        if !self.has(Rule::NotByTheHead) {
            self.find_by_the_head(state, home);
        } else if state.store.settle(self, &mut state.next_log) {
            self.note(state);
        }
        let Some(log) = state.store.state() else {
            return;
        };
        let standing = state.store.marks.map_or(0, |marks| marks.standing);
        let process = &mut state.processes[home];
        if process.view.at.log != log.log {
            process.view.start(self, log, standing);
        }
        process.behind = true;
        process.again = true;
        self.stir(state, home);
    }

    /// Without the server's identity, a new log begins where the head went backwards.
    fn find_by_the_head(&self, state: &mut State, home: usize) {
        let known = state.processes[home].view.at;
        let went_back = state
            .store
            .state()
            .is_some_and(|log| log.log == known.log && log.head < known.head);
        if went_back {
            state.store.meta = None;
        }
        if state.store.settle(self, &mut state.next_log) {
            self.note(state);
        }
    }

    pub(super) fn attach(&self, state: &mut State, home: usize) {
        state.processes[home].connected = true;
        self.find(state, home);
        if !self.has(Rule::AttachCatchesUp) {
            let process = &mut state.processes[home];
            process.behind = false;
            process.armed = true;
        }
    }

    /// A reply of the connection before.
    pub(super) fn hear_late(&self, state: &mut State, home: usize) {
        if let Some(message) = state.processes[home].late.take() {
            self.hear(state, home, message);
        }
    }
}
