//! Nothing waits for ever: calls whose bodies call each other, in several tasks, each leading a
//! flight or following another's, dropped, or kept and not polled. What a step does is in `step`.
//!
//! What is left out, and why that is sound. What a flight lands with does not matter to who waits,
//! nor does freshness, but for a joiner that a flight's position refuses, which may be any.
//! `Preparing` and `Computing` differ only in that. Bodies call in a ring: f calls g, g calls h, h
//! calls f, so that every circle there can be is met, of one task or more; a body that is deep
//! enough calls no more, as a recursion ends. An edge of the waits is a follower and the flights
//! that its call is inside of: it is on record exactly as long as the follower is. Leases, and
//! sync callers, whose flights are apart, are not here.

use stateright::{Model, Property};

use crate::case::{Case, Extent, Rule, Rules, Size};
use crate::explore;

mod step;
mod words;

use step::Step;

#[derive(Clone, Copy)]
enum R {
    Walk,
    Aboard,
    Bounded,
    HandsOver,
    LastFollower,
    Itself,
    Armed,
}

const RULES: [Rule; 7] = [
    Rule {
        name: "waits-walked",
        says: "record which flight waits for which, walk it before waiting, compute inline where \
               it comes back",
        lives: "flight/waits.rs: begin, comes_back; flight.rs: enter",
    },
    Rule {
        name: "all-aboard",
        says: "a wait is on record for every flight that the call is inside of",
        lives: "scope.rs: aboard; flight/waits.rs: begin",
    },
    Rule {
        name: "waits-bounded",
        says: "any flight wait is bounded by `wait`, after which the caller computes alone",
        lives: "call/lead.rs: fly, gives_up",
    },
    Rule {
        name: "hands-over",
        says: "a leader that is dropped hands over: a follower leads",
        lives: "flight.rs: abandon, look",
    },
    Rule {
        name: "last-follower",
        says: "the last follower of a vacant flight takes it off the map",
        lives: "flight.rs: drop of Follower",
    },
    Rule {
        name: "itself-only",
        says: "a flight that lands takes itself off the map, and no other that took its place",
        lives: "flight.rs: remove",
    },
    Rule {
        name: "armed-first",
        says: "a follower is armed before it looks: a change in between is not missed",
        lives: "flight.rs: wait",
    },
];

const KEYS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Phase {
    Computing,
    Vacant,
    Landed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Flight {
    key: usize,
    phase: Phase,
    /// Whether a call was refused by its position, and another flight may stand beside it.
    refused: bool,
}

/// What a call is doing. A task's calls are inside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Call {
    /// It has not taken its seat.
    Enters {
        key: usize,
    },
    /// It computes; its body may have made its call.
    Leads {
        flight: usize,
        called: bool,
    },
    /// Off the map, and not landed yet.
    Lands {
        flight: usize,
    },
    Alone {
        key: usize,
        called: bool,
    },
    Follows {
        flight: usize,
        wait: Wait,
    },
}

/// How far a follower is with its waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Wait {
    Begins,
    /// Armed, and to look; without the rule: it has looked, and is to be armed.
    Halfway,
    Sleeps,
    Woken,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Task {
    started: bool,
    /// Kept, and not polled.
    parked: bool,
    /// Being dropped, call by call.
    dropped: bool,
    calls: Vec<Call>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    map: [Option<usize>; KEYS],
    flights: Vec<Flight>,
    tasks: Vec<Task>,
    refusals: usize,
    drops: usize,
    parked: usize,
}

impl State {
    /// Those who follow a flight.
    fn followers(&self, of: usize) -> usize {
        let calls = self.tasks.iter().flat_map(|task| &task.calls);
        let follows = |call: &&Call| matches!(call, Call::Follows { flight, .. } if *flight == of);
        calls.filter(follows).count()
    }

    fn leaders(&self, of: usize) -> usize {
        let calls = self.tasks.iter().flat_map(|task| &task.calls);
        let leads = |call: &&Call| matches!(call, Call::Leads { flight, .. } if *flight == of);
        calls.filter(leads).count()
    }

    fn is_unfinished(task: &Task) -> bool {
        task.started && !task.calls.is_empty()
    }
}

/// The model, with its bounds.
#[derive(Clone, Debug)]
struct Circle {
    rules: Rules,
    tasks: usize,
    /// Calls inside each other, at most.
    depth: usize,
    refusals: usize,
    drops: usize,
    parked: usize,
}

impl Circle {
    fn keeps(&self, rule: R) -> bool {
        self.rules.keep(rule as usize)
    }

    /// Whether a task can go on by itself: without waiting any longer, and without being dropped.
    fn goes_on(&self, state: &State) -> bool {
        (0..state.tasks.len()).any(|task| self.next(state, task).is_some())
    }
}

impl Model for Circle {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let task = Task {
            started: false,
            parked: false,
            dropped: false,
            calls: Vec::new(),
        };
        vec![State {
            map: [None; KEYS],
            flights: Vec::new(),
            tasks: vec![task; self.tasks],
            refusals: 0,
            drops: 0,
            parked: 0,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        self.steps(state, steps);
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        self.take(&mut next, step);
        next.forget();
        next.renumber();
        if self.rules.all() {
            // Which task is which makes no difference.
            next.tasks.sort_unstable();
            next.renumber();
        }
        Some(next)
    }

    fn format_action(&self, step: &Step) -> String {
        step.to_string()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "while every task is polled, one of them can go on without its wait running out",
                |model: &Self, state: &State| {
                    state.parked > 0
                        || !state.tasks.iter().any(State::is_unfinished)
                        || model.goes_on(state)
                },
            ),
            Property::always(
                "a task that is polled ends, at the latest when its wait runs out",
                |model: &Self, state: &State| {
                    let mut polled = state.tasks.iter().filter(|task| !task.parked);
                    let sleeps = |task: &Task| {
                        let wait = Wait::Sleeps;
                        !task.parked
                            && matches!(task.calls.last(), Some(Call::Follows { wait: it, .. })
                                if *it == wait)
                    };
                    !polled.any(State::is_unfinished)
                        || model.goes_on(state)
                        || (model.keeps(R::Bounded) && state.tasks.iter().any(sleeps))
                },
            ),
            Property::always(
                "a flight has one leader at most",
                |_: &Self, state: &State| {
                    (0..state.flights.len()).all(|flight| state.leaders(flight) <= 1)
                },
            ),
            Property::always(
                "of one key there is one leader, but for those whose flights refused a call",
                |_: &Self, state: &State| {
                    (0..KEYS).all(|key| {
                        let flights = state.flights.iter().enumerate();
                        let of = flights.filter(|(_, it)| it.key == key && !it.refused);
                        of.map(|(flight, _)| state.leaders(flight)).sum::<usize>() <= 1
                    })
                },
            ),
            Property::always(
                "a flight on the map has a leader, or a follower that will lead",
                |_: &Self, state: &State| {
                    let mut there = state.map.iter().flatten();
                    there.all(|&flight| state.leaders(flight) + state.followers(flight) > 0)
                },
            ),
            Property::sometimes("a circle is avoided", |_: &Self, state: &State| {
                let calls = state.tasks.iter().flat_map(|task| &task.calls);
                calls.clone().any(|call| matches!(call, Call::Alone { .. })) && state.parked == 0
            }),
            Property::sometimes("two follow one flight", |_: &Self, state: &State| {
                (0..state.flights.len()).any(|flight| state.followers(flight) == 2)
            }),
            Property::sometimes("a flight is vacant", |_: &Self, state: &State| {
                state
                    .flights
                    .iter()
                    .any(|flight| flight.phase == Phase::Vacant)
            }),
            Property::sometimes("all tasks have ended", |_: &Self, state: &State| {
                let ended = |task: &Task| task.started && task.calls.is_empty();
                state.tasks.iter().all(ended) && state.drops == 0
            }),
            Property::sometimes(
                "a follower of a parked leader is on hold",
                |model: &Self, state: &State| {
                    state.parked > 0
                        && !model.goes_on(state)
                        && state
                            .tasks
                            .iter()
                            .filter(|task| State::is_unfinished(task))
                            .count()
                            > 1
                },
            ),
        ]
    }
}

/// The case.
pub(crate) fn case() -> Case {
    Case {
        name: "circle",
        about: "nothing waits for ever: flights whose bodies call each other, leaders and followers \
                that are dropped, or kept and not polled",
        bounds: "3 tasks of a call each, 3 keys in a ring of bodies, 3 calls inside each other (in \
                 `cargo test` 2), 1 call refused by a flight's position, 1 task dropped, 1 kept \
                 and not polled",
        rules: RULES.to_vec(),
        extent: Extent::Everything,
        run: Box::new(|run| {
            let model = |depth| Circle {
                rules: run.rules,
                tasks: 3,
                depth,
                refusals: 1,
                drops: 1,
                parked: 1,
            };
            if !run.rules.all() {
                // With two tasks dropped, so that a flight may be left by all.
                return explore::refute(
                    Circle {
                        drops: 2,
                        ..model(3)
                    },
                    &run.limits,
                );
            }
            match run.size {
                Size::Whole => explore::explore(model(3), &run.limits),
                Size::Small => explore::explore(model(2), &run.limits),
            }
        }),
    }
}
