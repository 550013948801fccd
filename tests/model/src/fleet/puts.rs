//! A value that is put by hand: its handle, what is read for it, its record and its entry. What the
//! record does to copies of the entry before it is left out: tags of single keys are tags.

use super::Fleet;
use super::state::{At, Fill, Put, State};
use super::step::Step;
use super::store::Entry;

/// The process that puts.
const HOME: usize = 0;

impl Fleet {
    /// How a `put` goes on, once its handle is made.
    pub(super) fn put_steps(&self, state: &State, steps: &mut Vec<Step>) {
        let connected = state.processes[HOME].connected;
        match state.put {
            Put::Noted(_) => steps.push(Step::PutReads),
            Put::Read(..) if connected => steps.push(Step::ServeClaim),
            Put::Claimed(..) if connected => steps.push(Step::ServePut),
            _ => {}
        }
    }

    pub(super) fn put(&self, state: &mut State) {
        state.put = match state.put {
            Put::Ready => Put::Noted(state.processes[HOME].view.at),
            Put::Noted(at) => Put::Read(at, state.truth),
            Put::Read(at, made) => match state.store.claim(self, &mut state.next_log, at) {
                Some(log) => {
                    self.note(state);
                    let (log, head) = (log.log, log.head);
                    Put::Claimed(At { log, head }, made)
                }
                None => Put::Done,
            },
            Put::Claimed(at, made) => {
                let entry = Entry { at, made };
                self.fill(state, Fill { entry, token: None });
                Put::Done
            }
            Put::Done => Put::Done,
        };
    }
}
