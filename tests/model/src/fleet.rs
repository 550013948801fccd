//! The whole protocol as one model: a server that keeps the log and one entry, processes with a
//! view of the log, their calls and their mutations. What is explored of it at once is a *scope*:
//! who takes part and what may go wrong. Nothing here is taken from the product's code.
//!
//! Time is not modelled. What a clock ends (a lease, a mark whose deadline has passed) may end at
//! any moment, which covers every clock; how long a view is believed without a sign of life is
//! `trust`'s. A request is carried out by the server at any moment after it was sent, in any order;
//! replies and notes arrive in the order in which the server sent them.

mod calls;
mod deliver;
mod faults;
mod flights;
mod leases;
mod mutations;
mod puts;
mod rules;
mod scopes;
mod state;
mod step;
mod store;
mod take;
mod tell;
mod view;

use rules::Rule;
use scopes::{SCOPES, Scope};
use state::State;
use step::Step;

use stateright::{Model, Property};

use crate::case::{Case, Extent, Run, Size};
use crate::explore::{Explored, explore, refute};
use state::Phase;
use view::{ALL, Judgement};

/// A scope of the protocol, with all rules but one at most.
#[derive(Clone, Copy, Debug)]
struct Fleet {
    /// Who takes part.
    scope: Scope,
    /// The rule that is left out.
    without: Option<Rule>,
}

impl Fleet {
    /// Whether a rule is in force.
    fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}

/// A reader got what the promise rules out.
const FRESH: &str = "no read is older than what was acknowledged before it began";
/// The lease is what it says.
const LEASE: &str = "a lease has one holder at a time, and one fill";
/// An entry is replaced by newer ones only.
const ORDER: &str = "no entry is replaced by an older one of the same log";
/// Nobody is left behind.
const ENDS: &str = "nothing waits for ever";

impl Model for Fleet {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(&self.scope)]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.broken.is_none() {
            self.work(state, steps);
            self.beginnings(state, steps);
            self.trouble(state, steps);
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        self.take(&mut next, step);
        self.go_on(&mut next);
        next.tidy(&self.scope);
        Some(next)
    }

    fn format_action(&self, step: &Step) -> String {
        tell::step(&self.scope, *step)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(FRESH, |_, state: &State| state.broken != Some(FRESH)),
            Property::always(ENDS, Self::goes_on),
            Property::sometimes("an entry is judged current", |fleet, state| {
                fleet.judges_one(state, Judgement::Current)
            }),
        ];
        if !self.scope.mutations.is_empty() {
            properties.push(Property::sometimes(
                "an entry is judged outdated",
                |fleet: &Self, state| fleet.judges_one(state, Judgement::Outdated),
            ));
        }
        if self.scope.leases {
            properties.push(Property::always(LEASE, |_, state: &State| {
                state.broken != Some(LEASE)
            }));
            properties.push(Property::sometimes(
                "a lease is waited for",
                |_, state: &State| state.has_call(|phase| matches!(phase, Phase::Waiting { .. })),
            ));
        } else {
            properties.push(Property::always(ORDER, |_, state: &State| {
                state.broken != Some(ORDER)
            }));
        }
        let homes = self.scope.calls;
        if self.scope.flights
            && homes
                .iter()
                .any(|home| homes[1..].contains(home) && homes[0] == *home)
        {
            properties.push(Property::sometimes(
                "a flight is joined",
                |_, state: &State| state.has_call(|phase| matches!(phase, Phase::Following { .. })),
            ));
        }
        properties
    }
}

impl Fleet {
    /// Whether nobody waits for what will not come: there is always a step other than a new call or
    /// a fault, as long as anyone has something to do.
    fn goes_on(&self, state: &State) -> bool {
        if state.broken.is_some() || state.is_at_rest() {
            return true;
        }
        let mut steps = Vec::new();
        self.work(state, &mut steps);
        !steps.is_empty()
    }

    /// Whether some process would judge what is stored so.
    fn judges_one(&self, state: &State, judgement: Judgement) -> bool {
        let homes = self.all_calls().map(|(_, home)| home);
        let entry = state.store.entry;
        entry.is_some_and(|entry| {
            homes
                .into_iter()
                .any(|home| self.judges(state, home, entry.at, ALL) == judgement)
        })
    }
}

/// One case for each scope.
pub(crate) fn cases() -> Vec<Case> {
    SCOPES.iter().map(case).collect()
}

fn case(scope: &'static Scope) -> Case {
    let rule = |rule: &Rule| crate::case::Rule {
        name: rule.name(),
        says: rule.says(),
        lives: rule.lives(),
    };
    Case {
        name: scope.name,
        about: scope.about,
        bounds: scope.bounds,
        rules: scope.rules.iter().map(rule).collect(),
        extent: scope.depth.map_or(Extent::Everything, Extent::Depth),
        run: Box::new(move |run| run_scope(scope, run)),
    }
}

fn run_scope(scope: &Scope, run: &Run) -> Explored {
    let without = (0..)
        .zip(scope.rules)
        .find(|(place, _)| !run.rules.keep(*place));
    let without = without.map(|(_, rule)| *rule);
    if let Some(rule) = without {
        let scope = scope.without(rule);
        return refute(Fleet { scope, without }, &run.limits);
    }
    let scope = match run.size {
        Size::Whole => *scope,
        Size::Small => scope.small(),
    };
    explore(Fleet { scope, without }, &run.limits)
}
