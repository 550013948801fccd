//! Which step is carried out where, and what follows from it at once: what a process does by itself
//! as soon as it can. That it may do so later is left out: by then its view knows more, not less.

use super::Fleet;
use super::state::{Phase, State};
use super::step::Step;
use super::store::Entry;

impl Fleet {
    pub(super) fn take(&self, state: &mut State, step: Step) {
        let process = usize::from;
        match step {
            Step::Begin(call) => self.begin(state, call),
            Step::ServeGet(call) => self.serve_get(state, call),
            Step::Judge(call) => {
                if let Phase::Judging(entry) = state.call(call).phase {
                    self.judge(state, call, entry);
                }
            }
            Step::ServeAsk(call) => {
                if let Phase::Asking(entry) = state.call(call).phase {
                    self.serve_ask(state, call, entry);
                }
            }
            Step::HearAnswer(call) => {
                if let Phase::Asked(entry, answer) = state.call(call).phase {
                    self.hear_answer(state, call, entry, answer);
                }
            }
            Step::LookLocal(call) => self.look_local(state, call),
            Step::Fly(call) => self.fly(state, call),
            Step::Arrive(call) => self.arrive(state, call),
            Step::Lead(call) => self.lead(state, call),
            Step::ServeBid(call) => self.serve_bid(state, call),
            Step::TakeGrant(call) => {
                if let Phase::Granted(entry) = state.call(call).phase {
                    self.take_grant(state, call, entry);
                }
            }
            Step::LookForLease(call) => self.look_for_lease(state, call),
            Step::Compute(call) => {
                if let Phase::Body(at) = state.call(call).phase {
                    self.compute(state, call, at);
                }
            }
            Step::Fail(call) => {
                if let Phase::Body(at) = state.call(call).phase {
                    self.fail(state, call, at);
                }
            }
            Step::NoteLate(call) => {
                if let Phase::Computed(_, made) = state.call(call).phase {
                    self.note_late(state, call, made);
                }
            }
            Step::ServeFill(call) => {
                if let Phase::Filling(at, made) = state.call(call).phase {
                    self.serve_fill(state, call, Entry { at, made });
                }
            }
            Step::Cancel(call) => {
                state.cancels -= 1;
                self.cancel(state, call);
            }
            Step::Deliver(at) => self.deliver(state, process(at)),
            Step::Overtake(at) => self.overtake(state, process(at)),
            Step::Late(at) => self.hear_late(state, process(at)),
            Step::CatchUp(at) => self.send_catch_up(state, process(at)),
            Step::Find(at) => self.find(state, process(at)),
            Step::ServeState(at) => self.serve_state(state, process(at)),
            Step::ServeRecords(at) => self.serve_records(state, process(at)),
            Step::ServeArm(at) => self.serve_arm(state, process(at)),
            Step::ServeAgain(at) => self.serve_again(state, process(at)),
            Step::ServeMarks(at) => self.serve_marks(state, process(at)),
            Step::ServeBarrier(at) => self.serve_barrier(state, process(at)),
            Step::Attach(at) => self.attach(state, process(at)),
            Step::Release(at) => self.release(state, process(at)),
            Step::Orphan(at) => {
                if let Some(fill) = state.processes[process(at)].orphan.take() {
                    self.fill(state, fill);
                }
            }
            Step::Start(mutation) => self.start(state, mutation),
            Step::ServeMark(mutation) => self.serve_mark(state, mutation),
            Step::Change(mutation) => self.change(state, mutation),
            Step::ServeAppend(mutation) => self.serve_append(state, mutation),
            Step::Retry(mutation) => {
                state.mutation(mutation).phase = super::state::Doing::Appending;
            }
            Step::Handle | Step::PutReads | Step::ServeClaim | Step::ServePut => self.put(state),
            Step::ExpireLease => self.expire_lease(state),
            Step::EndMark(mutation) => self.end_mark(state, mutation),
            Step::Rotate => {
                state.turns -= 1;
                if state.store.rotate(self, &mut state.next_log) {
                    self.note(state);
                }
            }
            Step::Fault(fault, at) => self.fault(state, fault, process(at)),
        }
    }
    /// Whatever the processes can do without the server, they do at once.
    pub(super) fn go_on(&self, state: &mut State) {
        let mut steps = Vec::new();
        while state.broken.is_none() {
            steps.clear();
            self.call_steps(state, &mut steps);
            self.process_steps(state, &mut steps);
            let Some(step) = steps.iter().copied().find(|&step| is_prompt(step)) else {
                return;
            };
            self.take(state, step);
        }
    }
}

/// Whether a process takes this step in the same breath as the one before.
fn is_prompt(step: Step) -> bool {
    matches!(
        step,
        Step::Judge(_)
            | Step::LookLocal(_)
            | Step::Fly(_)
            | Step::Lead(_)
            | Step::TakeGrant(_)
            | Step::LookForLease(_)
            | Step::CatchUp(_)
    )
}
