//! What a task does next, and what becomes of flights.

use super::{Call, Circle, Flight, KEYS, Phase, R, State, Task, Wait};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Start {
        task: usize,
        key: usize,
    },
    /// The last call of a task goes on: of this key, and whether its body makes a call of its own.
    Next {
        task: usize,
        call: Call,
        key: usize,
        calls: bool,
    },
    /// The last call of a task that is dropped ends.
    Leave {
        task: usize,
        call: Call,
        key: usize,
    },
    /// As `Next` of a call that enters, where the flight's position does not admit it.
    Refused {
        task: usize,
        key: usize,
    },
    GiveUp {
        task: usize,
    },
    Park {
        task: usize,
    },
    Drop {
        task: usize,
    },
}

impl Circle {
    pub(super) fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        for (number, task) in state.tasks.iter().enumerate() {
            if !task.started {
                // The ring is the same from each of its keys: the first one is called first.
                let first = state.tasks.iter().all(|task| !task.started);
                let keys = if first { 1 } else { KEYS };
                steps.extend((0..keys).map(|key| Step::Start { task: number, key }));
                continue;
            }
            if task.parked || task.calls.is_empty() {
                continue;
            }
            if let Some(call) = self.next(state, number) {
                let key = match call {
                    Call::Enters { key } | Call::Alone { key, .. } => key,
                    Call::Leads { flight, .. }
                    | Call::Lands { flight }
                    | Call::Follows { flight, .. } => state.flights[flight].key,
                };
                let calls = task.calls.len() < self.depth;
                let task = number;
                steps.push(if state.tasks[task].dropped {
                    Step::Leave { task, call, key }
                } else {
                    Step::Next {
                        task,
                        call,
                        key,
                        calls,
                    }
                });
            }
            self.mishaps(state, number, steps);
        }
    }

    /// What may befall a task.
    fn mishaps(&self, state: &State, number: usize, steps: &mut Vec<Step>) {
        let task = &state.tasks[number];
        if task.dropped {
            return;
        }
        match task.calls.last() {
            Some(&Call::Enters { key })
                if state.refusals < self.refusals && state.flight_of(key).is_some() =>
            {
                steps.push(Step::Refused { task: number, key });
            }
            Some(Call::Follows {
                wait: Wait::Sleeps, ..
            }) if self.keeps(R::Bounded) => {
                steps.push(Step::GiveUp { task: number });
            }
            // Landing is not interrupted.
            Some(Call::Lands { .. }) => return,
            _ => {}
        }
        if state.drops < self.drops {
            steps.push(Step::Drop { task: number });
        }
        if state.parked < self.parked {
            steps.push(Step::Park { task: number });
        }
    }

    /// The call with which a task goes on, if it can.
    pub(super) fn next(&self, state: &State, number: usize) -> Option<Call> {
        let task = &state.tasks[number];
        let call = *task.calls.last()?;
        let sleeps = matches!(
            call,
            Call::Follows {
                wait: Wait::Sleeps,
                ..
            }
        );
        (!task.parked && (!sleeps || task.dropped)).then_some(call)
    }

    pub(super) fn take(&self, state: &mut State, step: Step) {
        match step {
            Step::Start { task, key } => {
                state.tasks[task].started = true;
                state.tasks[task].calls.push(Call::Enters { key });
            }
            Step::Leave { task, call, .. } => self.leave(state, task, call),
            Step::Next { task, call, .. } => self.go_on(state, task, call),
            Step::Refused { task, key } => {
                state.refusals += 1;
                if let Some(flight) = state.flight_of(key) {
                    state.flights[flight].refused = true;
                }
                state.lead(task, key);
            }
            Step::GiveUp { task } => {
                if let Some(Call::Follows { flight, .. }) = state.tasks[task].calls.pop() {
                    self.unfollow(state, flight);
                    let key = state.flights[flight].key;
                    state.tasks[task]
                        .calls
                        .push(Call::Alone { key, called: false });
                }
            }
            Step::Park { task } => {
                state.parked += 1;
                state.tasks[task].parked = true;
            }
            Step::Drop { task } => {
                state.drops += 1;
                state.tasks[task].dropped = true;
            }
        }
    }

    fn go_on(&self, state: &mut State, task: usize, call: Call) {
        let may_call = state.tasks[task].calls.len() < self.depth;
        let calls = &mut state.tasks[task].calls;
        match call {
            Call::Enters { key } => self.enter(state, task, key),
            Call::Leads {
                flight,
                called: false,
            } if may_call => {
                calls.pop();
                calls.push(Call::Leads {
                    flight,
                    called: true,
                });
                let key = (state.flights[flight].key + 1) % KEYS;
                calls.push(Call::Enters { key });
            }
            Call::Alone { key, called: false } if may_call => {
                calls.pop();
                calls.push(Call::Alone { key, called: true });
                let key = (key + 1) % KEYS;
                calls.push(Call::Enters { key });
            }
            Call::Alone { .. } => {
                calls.pop();
            }
            Call::Leads { flight, .. } => {
                calls.pop();
                calls.push(Call::Lands { flight });
                let key = state.flights[flight].key;
                if state.map[key] == Some(flight) || !self.keeps(R::Itself) {
                    state.map[key] = None;
                }
            }
            Call::Lands { flight } => {
                calls.pop();
                state.change(flight, Phase::Landed);
            }
            Call::Follows { flight, wait } => self.wait(state, task, flight, wait),
        }
    }

    /// Joins the flight of this key, or starts one.
    fn enter(&self, state: &mut State, task: usize, key: usize) {
        let Some(flight) = state.map[key] else {
            state.lead(task, key);
            return;
        };
        let call = match state.flights[flight].phase {
            Phase::Landed => {
                state.lead(task, key);
                return;
            }
            Phase::Vacant => {
                state.flights[flight].phase = Phase::Computing;
                Call::Leads {
                    flight,
                    called: false,
                }
            }
            Phase::Computing if self.keeps(R::Walk) && self.comes_back(state, task, flight) => {
                Call::Alone { key, called: false }
            }
            // Armed with the joining.
            Phase::Computing if self.keeps(R::Armed) => Call::Follows {
                flight,
                wait: Wait::Halfway,
            },
            Phase::Computing => Call::Follows {
                flight,
                wait: Wait::Begins,
            },
        };
        let calls = &mut state.tasks[task].calls;
        calls.pop();
        calls.push(call);
    }

    /// The flights that the last call of a task is inside of.
    fn aboard(&self, task: &Task) -> Vec<usize> {
        let mut inside = task.calls.iter().filter_map(|call| match call {
            Call::Leads { flight, .. } => Some(*flight),
            _ => None,
        });
        if self.keeps(R::Aboard) {
            inside.collect()
        } else {
            inside.next_back().into_iter().collect()
        }
    }

    /// Whether following the waits from a flight leads to one that this task's call is inside of.
    fn comes_back(&self, state: &State, task: usize, start: usize) -> bool {
        let goals = self.aboard(&state.tasks[task]);
        let mut seen = vec![start];
        let mut at = 0;
        while let Some(&flight) = seen.get(at) {
            if goals.contains(&flight) {
                return true;
            }
            at += 1;
            for other in &state.tasks {
                if let Some(&Call::Follows { flight: next, .. }) = other.calls.last()
                    && self.aboard(other).contains(&flight)
                    && !seen.contains(&next)
                {
                    seen.push(next);
                }
            }
        }
        false
    }

    /// A follower arms itself, looks, and sleeps until it is woken.
    fn wait(&self, state: &mut State, task: usize, flight: usize, wait: Wait) {
        let phase = state.flights[flight].phase;
        // Armed before the look, or after it.
        let looks = match wait {
            Wait::Begins => !self.keeps(R::Armed),
            Wait::Halfway => self.keeps(R::Armed),
            Wait::Woken => true,
            Wait::Sleeps => false,
        };
        let calls = &mut state.tasks[task].calls;
        calls.pop();
        match phase {
            Phase::Landed if looks => {}
            Phase::Vacant if looks => {
                state.flights[flight].phase = Phase::Computing;
                calls.push(Call::Leads {
                    flight,
                    called: false,
                });
            }
            _ => {
                let wait = match wait {
                    Wait::Begins => Wait::Halfway,
                    Wait::Halfway | Wait::Woken | Wait::Sleeps => Wait::Sleeps,
                };
                calls.push(Call::Follows { flight, wait });
            }
        }
    }

    /// The innermost call of a task that is dropped ends.
    fn leave(&self, state: &mut State, task: usize, call: Call) {
        state.tasks[task].calls.pop();
        match call {
            Call::Follows { flight, .. } => self.unfollow(state, flight),
            Call::Leads { flight, .. } if !self.keeps(R::HandsOver) => {
                let _ = flight;
            }
            Call::Leads { flight, .. } if state.followers(flight) == 0 => {
                state.take_off(flight);
            }
            Call::Leads { flight, .. } => state.change(flight, Phase::Vacant),
            Call::Lands { .. } | Call::Enters { .. } | Call::Alone { .. } => {}
        }
    }

    /// A follower has gone, and is no longer counted.
    fn unfollow(&self, state: &mut State, flight: usize) {
        let is_last = state.followers(flight) == 0;
        if is_last && state.flights[flight].phase == Phase::Vacant && self.keeps(R::LastFollower) {
            state.take_off(flight);
        }
    }
}

impl State {
    /// The flight of this key, if one computes.
    fn flight_of(&self, key: usize) -> Option<usize> {
        self.map[key].filter(|&flight| self.flights[flight].phase == Phase::Computing)
    }

    /// Starts a flight, in the place of the one that may be there.
    fn lead(&mut self, task: usize, key: usize) {
        let flight = self.flights.len();
        self.flights.push(Flight {
            key,
            phase: Phase::Computing,
            refused: false,
        });
        self.map[key] = Some(flight);
        let calls = &mut self.tasks[task].calls;
        calls.pop();
        calls.push(Call::Leads {
            flight,
            called: false,
        });
    }

    fn take_off(&mut self, flight: usize) {
        let key = self.flights[flight].key;
        if self.map[key] == Some(flight) {
            self.map[key] = None;
        }
    }

    /// A flight's phase changes, and whoever is armed is woken.
    fn change(&mut self, of: usize, phase: Phase) {
        self.flights[of].phase = phase;
        for call in self.tasks.iter_mut().flat_map(|task| &mut task.calls) {
            if let Call::Follows { flight, wait } = call
                && *flight == of
                && *wait == Wait::Sleeps
            {
                *wait = Wait::Woken;
            }
        }
    }

    /// Of a task that has ended, how it did makes no difference.
    pub(super) fn forget(&mut self) {
        for task in &mut self.tasks {
            if task.started && task.calls.is_empty() {
                task.dropped = false;
            }
        }
    }

    /// Forgets flights that nobody is in, and numbers the others as they are met.
    pub(super) fn renumber(&mut self) {
        let mut order: Vec<usize> = Vec::new();
        let mut place = |flight: &mut usize| {
            let known = order.iter().position(|known| known == flight);
            *flight = known.unwrap_or_else(|| {
                order.push(*flight);
                order.len() - 1
            });
        };
        for call in self.tasks.iter_mut().flat_map(|task| &mut task.calls) {
            match call {
                Call::Leads { flight, .. }
                | Call::Lands { flight }
                | Call::Follows { flight, .. } => place(flight),
                Call::Enters { .. } | Call::Alone { .. } => {}
            }
        }
        self.map.iter_mut().flatten().for_each(place);
        self.flights = order.iter().map(|&flight| self.flights[flight]).collect();
    }
}
