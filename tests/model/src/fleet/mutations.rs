//! A mutation: its mark, where it is crash-safe, its commit, and its append.

use super::Fleet;
use super::rules::Rule;
use super::state::{CELLS, Cells, Doing, Message, State, most};
use super::step::Step;
use super::store::{Marking, Record};

impl Fleet {
    fn origin(&self, mutation: u8) -> (usize, u8, bool) {
        let one = self.scope.mutations[usize::from(mutation)];
        (usize::from(one.home), one.cells, one.safe)
    }

    /// What a mutation may do next, and what others may do for it.
    pub(super) fn mutation_steps(&self, state: &State, steps: &mut Vec<Step>) {
        for mutation in 0..self.scope.mutations.len() as u8 {
            let (home, _, safe) = self.origin(mutation);
            let one = state.mutations[usize::from(mutation)];
            let standing = state
                .store
                .marks
                .is_some_and(|marks| marks.standing & 1 << mutation != 0);
            let connected = state.processes[home].connected;
            match one.phase {
                // What has been sent to the database may be committed after its sender's end.
                Doing::Guarded if !one.dead || standing => steps.push(Step::Change(mutation)),
                _ if one.dead || !connected => {}
                Doing::Marking => steps.push(Step::ServeMark(mutation)),
                Doing::Appending => steps.push(Step::ServeAppend(mutation)),
                Doing::Owed => steps.push(Step::Retry(mutation)),
                _ => {}
            }
            // The deadline passes at some time after the commit, or after the holder's end.
            let over =
                one.dead || matches!(one.phase, Doing::Appending | Doing::Owed | Doing::Done);
            let may = over || !self.has(Rule::DeadlineIsWaitedFor);
            let anyone = state.processes.iter().any(|process| process.connected);
            if safe && standing && may && anyone && self.has(Rule::MarksEnd) {
                steps.push(Step::EndMark(mutation));
            }
        }
    }

    /// Whether a mutation may begin.
    pub(super) fn may_start(&self, state: &State, mutation: u8) -> bool {
        let one = state.mutations[usize::from(mutation)];
        let (home, ..) = self.origin(mutation);
        one.phase == Doing::Ready && !one.dead && state.processes[home].connected
    }

    pub(super) fn start(&self, state: &mut State, mutation: u8) {
        let (_, cells, safe) = self.origin(mutation);
        if safe && self.has(Rule::MarkBeforeBody) {
            state.mutation(mutation).phase = Doing::Marking;
        } else if safe {
            // The body first, and the mark with it.
            self.change_cells(state, mutation, cells, true);
            state.mutation(mutation).phase = Doing::Marking;
        } else if self.has(Rule::AppendAfterCommit) {
            self.change(state, mutation);
        } else {
            let mut made = state.truth;
            bump(&mut made, cells);
            let one = state.mutation(mutation);
            one.made = made;
            one.phase = Doing::Appending;
        }
    }

    fn change_cells(&self, state: &mut State, mutation: u8, cells: u8, safe: bool) {
        bump(&mut state.truth, cells);
        let made = only(state.truth, cells);
        state.mutation(mutation).made = made;
        if safe {
            state.guarded = most(state.guarded, made);
        }
    }

    pub(super) fn serve_mark(&self, state: &mut State, mutation: u8) {
        let (home, ..) = self.origin(mutation);
        let (log, _) = state.store.mark(self, &mut state.next_log, mutation);
        state.mutation(mutation).phase = Doing::Answering;
        let message = Message::Marked {
            mutation,
            log: log.log,
            version: Some(log.head),
        };
        state.processes[home].inbound.push(message);
        self.note(state);
    }

    pub(super) fn hear_mark(&self, state: &mut State, mutation: u8, log: u8, version: Option<u8>) {
        let (home, ..) = self.origin(mutation);
        let record = Record {
            log,
            moves: 0,
            mark: Marking::Placed(mutation),
            made: [0; CELLS],
        };
        if let Some(head) = version {
            let known = super::store::State {
                log,
                head,
                floor: 0,
            };
            state.processes[home].view.confirm(known, record);
        }
        self.stir(state, home);
        state.mutation(mutation).phase = if self.has(Rule::MarkBeforeBody) {
            Doing::Guarded
        } else {
            Doing::Appending
        };
    }

    /// The body commits. Its append is sent.
    pub(super) fn change(&self, state: &mut State, mutation: u8) {
        let (_, cells, safe) = self.origin(mutation);
        self.change_cells(state, mutation, cells, safe);
        let made = state.mutation(mutation).made;
        if self.has(Rule::AppendAfterCommit) {
            state.mutation(mutation).phase = Doing::Appending;
        } else {
            state.mutation(mutation).phase = Doing::Done;
            state.acked = most(state.acked, made);
        }
    }

    pub(super) fn serve_append(&self, state: &mut State, mutation: u8) {
        let (home, cells, safe) = self.origin(mutation);
        let made = only(state.mutation(mutation).made, cells);
        let ends = safe.then_some(mutation);
        let (log, _) = state
            .store
            .append(self, &mut state.next_log, cells, ends, made);
        state.mutation(mutation).phase = Doing::Ending;
        let message = Message::Appended {
            mutation,
            log: log.log,
            version: log.head,
            floor: log.floor,
        };
        state.processes[home].inbound.push(message);
        // The note of one's own write comes after its reply.
        self.note(state);
    }

    pub(super) fn hear_append(&self, state: &mut State, mutation: u8, log: super::store::State) {
        let (home, cells, safe) = self.origin(mutation);
        let made = only(state.mutation(mutation).made, cells);
        let record = Record {
            log: log.log,
            moves: cells,
            mark: if safe {
                Marking::Ended(mutation)
            } else {
                Marking::None
            },
            made,
        };
        if self.has(Rule::OwnRecordFirst) {
            state.processes[home].view.confirm(log, record);
            self.stir(state, home);
        }
        if !self.has(Rule::AppendAfterCommit) {
            state.mutation(mutation).phase = Doing::Guarded;
            return;
        }
        state.mutation(mutation).phase = Doing::Done;
        let own = &mut state.processes[home].own;
        *own = most(*own, made);
        state.acked = most(state.acked, made);
    }

    pub(super) fn end_mark(&self, state: &mut State, mutation: u8) {
        let (_, cells, _) = self.origin(mutation);
        state
            .store
            .expire(self, &mut state.next_log, mutation, cells);
        self.note(state);
    }

    /// The records have changed: whoever follows them is told, once.
    pub(super) fn note(&self, state: &mut State) {
        for process in &mut state.processes {
            if process.armed {
                process.armed = false;
                process.inbound.push(Message::Note);
            }
        }
    }

    /// The view has changed: what was judged by it is judged again.
    pub(super) fn stir(&self, state: &mut State, home: usize) {
        if self.has(Rule::EpochEndsJudgements)
            && let Some(kept) = &mut state.processes[home].local
        {
            kept.judged = false;
        }
    }
}

impl State {
    pub(super) fn mutation(&mut self, mutation: u8) -> &mut super::state::Mutation {
        &mut self.mutations[usize::from(mutation)]
    }
}

fn bump(truth: &mut Cells, cells: u8) {
    for (cell, number) in truth.iter_mut().enumerate() {
        *number += u8::from(cells & 1 << cell != 0);
    }
}

/// What a mutation has made, of its own cells.
fn only(made: Cells, cells: u8) -> Cells {
    let mut own = made;
    for (cell, number) in own.iter_mut().enumerate() {
        if cells & 1 << cell == 0 {
            *number = 0;
        }
    }
    own
}
