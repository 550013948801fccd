//! Visits every state that a model can reach, breadth first, and says what was found: whether that
//! was all of them, which property is broken and by which steps, which never came about. It knows
//! nothing of caches; how the findings are judged and shown is in `case` and `report`.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stateright::{Checker, Expectation, HasDiscoveries, Model, Property};

/// How far an exploration may go. What a limit cuts off is never called complete.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many states may be expanded.
    pub states: usize,
    /// How long it may take.
    pub time: Duration,
    /// How many steps from the first state. With it, one thread explores: several meet some states
    /// first on a longer way.
    pub depth: Option<usize>,
    /// How many explore at once.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            states: 20_000_000,
            time: Duration::from_mins(10),
            depth: None,
            threads: 2,
        }
    }
}

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Explored {
    /// Steps taken, to states new and known.
    pub states: usize,
    /// Different states, each of them tested. They are told apart by 64 bits of a hash: among ten
    /// million, that two are taken for one has a chance of one in 400,000.
    pub unique: usize,
    /// Steps from the first state to the last one.
    pub depth: usize,
    /// How long it took.
    pub time: Duration,
    /// Whether every state that can be reached was visited, and every step from it taken.
    pub complete: bool,
    /// Whether it ran out of states or time, and not only of depth.
    pub cut: bool,
    /// How many properties held in each state visited.
    pub held: usize,
    /// How many situations that must come about did: proof that the model is not vacuous.
    pub reached: usize,
    /// Those that did not.
    pub missing: Vec<&'static str>,
    /// The first property that was found broken.
    pub violation: Option<Violation>,
}

/// A property that is broken, and how.
#[derive(Clone, Debug)]
pub struct Violation {
    /// What should hold.
    pub property: &'static str,
    /// The fewest steps that lead there, in words.
    pub steps: Vec<String>,
}

/// Looks for a state that breaks a property: one thread, so that the first one found is at the end
/// of as few steps as can be.
pub fn refute<M>(model: M, limits: &Limits) -> Explored
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let limits = Limits {
        threads: 1,
        ..*limits
    };
    visit(model, &limits)
}

/// Visits everything within the limits, or, where a property is broken, says in how few steps.
pub fn explore<M>(model: M, limits: &Limits) -> Explored
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let explored = visit(model.clone(), limits);
    if explored.violation.is_some() && limits.threads > 1 {
        // Several threads do not find the shortest way.
        return refute(model, limits);
    }
    explored
}

fn visit<M>(model: M, limits: &Limits) -> Explored
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let watched = Watched::new(model, limits);
    let began = watched.began;
    let mut checker = watched
        .checker()
        .threads(match limits.depth {
            Some(_) => 1,
            None => limits.threads,
        })
        .finish_when(HasDiscoveries::AnyFailures);
    if let Some(depth) = limits.depth {
        // The checker counts states, the first one too, and leaves out those at its limit.
        checker = checker.target_max_depth(depth + 2);
    }
    let done = checker.spawn_bfs().join();
    let time = began.elapsed();
    let watched = done.model();
    watched.over.store(true, Ordering::SeqCst);
    let expanded = watched.expanded.load(Ordering::SeqCst);
    let cut = watched.cut.load(Ordering::SeqCst);
    let depth = done.max_depth().saturating_sub(1);
    let found = done.discoveries();
    let violation = watched.broken.get().map(|&property| {
        let path = found[property].clone();
        let steps = path.into_actions();
        Violation {
            property,
            steps: steps
                .iter()
                .map(|step| watched.format_action(step))
                .collect(),
        }
    });
    let of = |expected: Expectation| {
        let properties = watched.properties.iter();
        properties.filter(move |property| property.expectation == expected)
    };
    let missing: Vec<_> = of(Expectation::Sometimes)
        .map(|property| property.name)
        .filter(|name| !found.contains_key(name))
        .collect();
    Explored {
        states: done.state_count(),
        unique: expanded,
        depth: limits.depth.map_or(depth, |limit| depth.min(limit)),
        time,
        complete: violation.is_none() && !cut && expanded == done.unique_state_count(),
        cut,
        held: of(Expectation::Always).count() - usize::from(violation.is_some()),
        reached: of(Expectation::Sometimes).count() - missing.len(),
        missing,
        violation,
    }
}

/// A model, and what is kept about its exploration. The checker itself goes on past the first
/// broken state of a block and remembers the last one, looks at the clock only where threads share
/// work, and does not say whether a limit cut anything off.
struct Watched<M: Model> {
    inner: M,
    properties: Vec<Property<M>>,
    began: Instant,
    states: usize,
    time: Duration,
    /// States whose steps have been asked for.
    expanded: AtomicUsize,
    cut: AtomicBool,
    /// Whether the exploration has ended: what asks for steps now replays a path.
    over: AtomicBool,
    /// The first property found broken.
    broken: OnceLock<&'static str>,
}

/// How often the clock is read, in states.
const CLOCK: usize = 1 << 10;

impl<M: Model> Watched<M> {
    fn new(inner: M, limits: &Limits) -> Self {
        let properties = inner.properties();
        assert!(
            properties.len() <= PROBES,
            "more than {PROBES} properties: raise the number of probes"
        );
        let eventually = |property: &Property<M>| property.expectation == Expectation::Eventually;
        // The checker misses some that are broken, where ways join.
        assert!(
            !properties.iter().any(eventually),
            "say what must come about in the end as something that is never so"
        );
        Self {
            inner,
            properties,
            began: Instant::now(),
            states: limits.states,
            time: limits.time,
            expanded: AtomicUsize::new(0),
            cut: AtomicBool::new(false),
            over: AtomicBool::new(false),
            broken: OnceLock::new(),
        }
    }

    /// Whether the property at this place holds, or another state was broken first.
    fn probe(&self, place: usize, state: &M::State) -> bool {
        let property = &self.properties[place];
        let holds = (property.condition)(&self.inner, state);
        if holds || property.expectation == Expectation::Sometimes {
            return holds;
        }
        // Only the first is told to the checker: it would replace it by those that come later.
        self.broken.set(property.name).is_err()
    }
}

impl<M: Model + 'static> Model for Watched<M>
where
    M::Action: Debug,
{
    type State = M::State;
    type Action = M::Action;

    fn init_states(&self) -> Vec<M::State> {
        self.inner.init_states()
    }

    fn actions(&self, state: &M::State, actions: &mut Vec<M::Action>) {
        if self.over.load(Ordering::Relaxed) {
            self.inner.actions(state, actions);
            return;
        }
        let expanded = self.expanded.fetch_add(1, Ordering::Relaxed);
        let late = expanded.is_multiple_of(CLOCK) && self.began.elapsed() > self.time;
        if late || expanded >= self.states {
            self.cut.store(true, Ordering::Relaxed);
        }
        if !self.cut.load(Ordering::Relaxed) {
            self.inner.actions(state, actions);
        }
    }

    fn next_state(&self, state: &M::State, action: M::Action) -> Option<M::State> {
        self.inner.next_state(state, action)
    }

    fn format_action(&self, action: &M::Action) -> String {
        self.inner.format_action(action)
    }

    fn within_boundary(&self, state: &M::State) -> bool {
        self.inner.within_boundary(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let probes = probes::<M>();
        let watched = self.properties.iter().zip(probes);
        watched
            .map(|(property, condition)| Property {
                expectation: property.expectation.clone(),
                name: property.name,
                condition,
            })
            .collect()
    }
}

const PROBES: usize = 24;

type Probe<M> = fn(&Watched<M>, &<M as Model>::State) -> bool;

/// A property's condition is a plain function, so there is one for each place in the list.
fn probes<M: Model + 'static>() -> [Probe<M>; PROBES] {
    macro_rules! at {
        ($($place:literal)*) => { [$(|watched, state| watched.probe($place, state)),*] };
    }
    at![0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23]
}
