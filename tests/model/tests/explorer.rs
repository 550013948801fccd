//! The explorer itself, on models whose states can be counted by hand: it visits all of them and
//! says so, finds the shortest way to a broken one, and never calls complete what was cut off.

use std::time::Duration;

use afresh_model::explore::{Limits, explore, refute};
use stateright::{Model, Property};

/// Two counters, each from 0 to `top`: `(top + 1)²` states.
#[derive(Clone)]
struct Counters {
    top: u32,
    /// Where the sum is forbidden.
    forbidden: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    First,
    Second,
}

impl Model for Counters {
    type State = (u32, u32);
    type Action = Step;

    fn init_states(&self) -> Vec<(u32, u32)> {
        vec![(0, 0)]
    }

    fn actions(&self, _: &(u32, u32), actions: &mut Vec<Step>) {
        actions.extend([Step::First, Step::Second]);
    }

    fn next_state(&self, &(first, second): &(u32, u32), step: Step) -> Option<(u32, u32)> {
        match step {
            Step::First => (first < self.top).then_some((first + 1, second)),
            Step::Second => (second < self.top).then_some((first, second + 1)),
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("the sum is allowed", |model, (first, second)| {
                first + second < model.forbidden
            }),
            Property::sometimes("the two are equal", |_, (first, second)| {
                first == second && *first > 0
            }),
            Property::sometimes("the first is a hundred", |_, &(first, _)| first == 100),
        ]
    }
}

const HARMLESS: u32 = 1_000;

fn limits(threads: usize) -> Limits {
    Limits {
        threads,
        ..Limits::default()
    }
}

#[test]
fn everything_is_visited() {
    for threads in [1, 2] {
        let model = Counters {
            top: 99,
            forbidden: HARMLESS,
        };
        let found = explore(model, &limits(threads));
        assert!(found.complete, "{found:?}");
        assert_eq!(found.unique, 100 * 100);
        assert_eq!(found.depth, 2 * 99);
        assert_eq!((found.held, found.reached), (1, 1));
        assert_eq!(found.missing, ["the first is a hundred"]);
    }
}

#[test]
fn the_shortest_way_is_found() {
    // On two threads it is met on some other way first.
    for threads in [1, 2] {
        let model = Counters {
            top: 99,
            forbidden: 7,
        };
        let found = explore(model, &limits(threads));
        let violation = found.violation.expect("the sum gets to 7");
        assert_eq!(violation.property, "the sum is allowed");
        assert_eq!(violation.steps.len(), 7);
        assert!(!found.complete);
        assert_eq!(found.held, 0);
    }
}

#[test]
fn what_is_cut_off_is_not_complete() {
    let model = Counters {
        top: 99,
        forbidden: HARMLESS,
    };
    for threads in [1, 2] {
        let states = Limits {
            states: 10_000 - 1,
            ..limits(threads)
        };
        let found = explore(model.clone(), &states);
        assert!(found.cut && !found.complete, "{found:?}");
        let enough = Limits {
            states: 10_000,
            ..limits(threads)
        };
        assert!(explore(model.clone(), &enough).complete);
        let time = Limits {
            time: Duration::ZERO,
            ..limits(threads)
        };
        let found = explore(model.clone(), &time);
        assert!(found.cut && !found.complete, "{found:?}");
    }
}

#[test]
fn a_depth_is_visited_to_its_end() {
    let model = |forbidden| Counters { top: 99, forbidden };
    let ten = Limits {
        depth: Some(10),
        ..limits(2)
    };
    let found = explore(model(HARMLESS), &ten);
    // Sums of at most ten.
    assert_eq!(found.unique, 66);
    assert_eq!(found.depth, 10);
    assert!(!found.cut && !found.complete, "{found:?}");
    assert!(explore(model(10), &ten).violation.is_some());
    assert!(explore(model(11), &ten).violation.is_none());
    let all = Limits {
        depth: Some(198),
        ..limits(1)
    };
    assert!(refute(model(HARMLESS), &all).complete);
}
