//! Flights: one compute per key in this process, which other calls may join. Who leads, who
//! follows, what they get, and that nobody waits for himself. Nothing here knows of leases,
//! stores or types; what a leader hands to its heir (`H`) is not looked into.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use crate::clock::Millis;
use crate::local::{LocalKey, Passed, Value};
use crate::log::Position;
use crate::output::Failure;
use crate::scope;
use crate::sync::{Mutex, MutexGuard, Notify, OwnedNotified};
use crate::tag::TagHash;

mod waits;

use waits::Waiting;
pub(crate) use waits::waiting;

/// How a flight ended.
#[derive(Clone, Debug)]
pub(crate) enum Landing {
    /// With a value, written at a position and with tags by which each follower judges it.
    Value {
        value: Value,
        at: Position,
        tags: Arc<[TagHash]>,
        /// Whether it was found in a tier: it was computed before the flight, not in it.
        found: bool,
    },
    /// With the leader's own failure, judged by where it began and by the tags that its value would
    /// have had.
    Failed {
        failure: Failure,
        at: Position,
        tags: Arc<[TagHash]>,
    },
}

impl Landing {
    /// With nothing that anyone could use: everyone computes.
    pub(crate) fn opaque() -> Self {
        Self::Failed {
            failure: Failure::Opaque,
            at: Position::NOWHERE,
            tags: Arc::from([]),
        }
    }
}

/// What a flight is doing.
#[derive(Debug)]
enum Phase<H> {
    /// Its leader has not noted the head yet: whatever it will bring is newer than any joiner.
    Preparing,
    /// Its leader computes; a joiner must pass the test of a hit.
    Computing(Course),
    /// Its leader is gone (cancelled or panicked) and left this for the follower that takes over.
    Vacant(Option<H>),
    Landed(Landing),
}

/// One compute in progress.
#[derive(Debug)]
struct Flight<H> {
    id: u64,
    state: Mutex<State<H>>,
    changed: Arc<Notify>,
}

#[derive(Debug)]
struct State<H> {
    phase: Phase<H>,
    followers: usize,
}

impl<H> Flight<H> {
    fn new() -> Self {
        // A number is all it gives: nothing depends on the order in which it is used.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            state: Mutex::new(State {
                phase: Phase::Preparing,
                followers: 0,
            }),
            changed: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<H>> {
        // A phase is replaced whole: a panic elsewhere leaves it meaningful.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type FlightMap<H> = HashMap<LocalKey, Arc<Flight<H>>, Passed>;

const SHARDS: usize = 16;

/// The flights of one cache.
#[derive(Debug)]
pub(crate) struct Flights<H> {
    /// Taken on misses only, for a look-up and an insertion.
    shards: [Mutex<FlightMap<H>>; SHARDS],
}

/// Where a compute started from: what a joiner's test is about.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    /// The head it noted.
    pub(crate) at: Position,
    /// How many invalidations this process owed the log by then, all in all.
    pub(crate) owes: u64,
    pub(crate) since: Millis,
    pub(crate) tags: Arc<[TagHash]>,
}

/// What a call is in the flight of its key.
#[derive(Debug)]
pub(crate) enum Role<H: Send + 'static> {
    Leader(Leader<H>),
    Follower(Follower<H>),
    /// Waiting would be waiting for itself: it computes on its own.
    Alone,
}

impl<H: Send + 'static> Flights<H> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            shards: std::array::from_fn(|_| Mutex::default()),
        })
    }

    fn shard(&self, key: &LocalKey) -> MutexGuard<'_, FlightMap<H>> {
        let shard = &self.shards[(key.hash >> 32) as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the flight of this key, or starts one. `admits` is the test of a hit: whether a
    /// value computed from that position on may be given to a call that begins now. `position`
    /// is read once the flight is joined.
    pub(crate) fn enter(
        self: &Arc<Self>,
        key: &LocalKey,
        admits: impl Fn(&Course) -> bool,
        position: impl Fn() -> Position,
    ) -> Role<H> {
        let mut flights = self.shard(key);
        if let Some(flight) = flights.get(key) {
            let mut state = flight.state();
            let tested = match &mut state.phase {
                Phase::Vacant(left) => {
                    let left = left.take();
                    state.phase = Phase::Preparing;
                    return Role::Leader(self.leader(key, flight, left));
                }
                Phase::Preparing => Some(None),
                Phase::Computing(course) => admits(course).then(|| Some(Arc::clone(&course.tags))),
                Phase::Landed(_) => None,
            };
            if let Some(tested) = tested {
                let Some(waiting) = Waiting::begin(scope::aboard(), flight.id) else {
                    return Role::Alone;
                };
                state.followers += 1;
                let landing = Arc::clone(&flight.changed).notified_owned();
                drop(state);
                return Role::Follower(Follower {
                    flights: Arc::clone(self),
                    key: key.clone(),
                    flight: Arc::clone(flight),
                    landing: Box::pin(landing),
                    joined: position(),
                    tested,
                    _waiting: waiting,
                });
            }
        }
        let flight = Arc::new(Flight::new());
        flights.insert(key.clone(), Arc::clone(&flight));
        Role::Leader(self.leader(key, &flight, None))
    }

    /// Starts the flight of this key, if there is none.
    pub(crate) fn lead(self: &Arc<Self>, key: &LocalKey) -> Option<Leader<H>> {
        let mut flights = self.shard(key);
        if let Some(flight) = flights.get(key) {
            let mut state = flight.state();
            let Phase::Vacant(left) = &mut state.phase else {
                return None;
            };
            let left = left.take();
            state.phase = Phase::Preparing;
            return Some(self.leader(key, flight, left));
        }
        let flight = Arc::new(Flight::new());
        flights.insert(key.clone(), Arc::clone(&flight));
        Some(self.leader(key, &flight, None))
    }

    fn leader(
        self: &Arc<Self>,
        key: &LocalKey,
        flight: &Arc<Flight<H>>,
        left: Option<H>,
    ) -> Leader<H> {
        Leader {
            flights: Arc::clone(self),
            key: key.clone(),
            flight: Arc::clone(flight),
            inherited: left,
            bequest: None,
            landing: None,
            done: false,
        }
    }

    /// Takes a flight off the map, unless another has taken its place there.
    fn remove(&self, key: &LocalKey, flight: &Arc<Flight<H>>) {
        let mut flights = self.shard(key);
        if flights
            .get(key)
            .is_some_and(|there| Arc::ptr_eq(there, flight))
        {
            flights.remove(key);
        }
    }

    /// How many flights there are.
    pub(crate) fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock().map_or(0, |flights| flights.len()))
            .sum()
    }
}

/// Being the leader of a flight. Dropped before it has landed, it hands over to a follower.
#[derive(Debug)]
pub(crate) struct Leader<H: Send + 'static> {
    flights: Arc<Flights<H>>,
    key: LocalKey,
    flight: Arc<Flight<H>>,
    /// What the leader before left behind.
    inherited: Option<H>,
    /// What an heir gets if this leader goes.
    bequest: Option<H>,
    /// How the flight will land even if the leader goes: its compute is done.
    landing: Option<Landing>,
    done: bool,
}

impl<H: Send + 'static> Leader<H> {
    pub(crate) fn flight(&self) -> u64 {
        self.flight.id
    }

    /// What a leader that went away left behind, once.
    pub(crate) fn inherit(&mut self) -> Option<H> {
        self.inherited.take()
    }

    /// Puts down what an heir would need.
    pub(crate) fn bequeath(&mut self, bequest: Option<H>) {
        self.bequest = bequest;
    }

    /// What was put down for an heir.
    pub(crate) fn bequest(&mut self) -> Option<&mut H> {
        self.bequest.as_mut()
    }

    /// Takes back what was put down for an heir.
    pub(crate) fn take_bequest(&mut self) -> Option<H> {
        self.bequest.take()
    }

    /// Says from which position on this flight computes, and what it will carry.
    pub(crate) fn computes(&self, course: Course) {
        self.flight.state().phase = Phase::Computing(course);
    }

    /// Says how the flight will land, before the commit: from here on, a cancelled leader still
    /// brings its followers what it computed.
    pub(crate) fn prepare(&mut self, landing: Landing) {
        self.landing = Some(landing);
    }

    /// Lands with what was prepared, or with this.
    pub(crate) fn land(mut self, landing: Landing) {
        self.landing = Some(landing);
        self.finish();
    }

    fn finish(&mut self) {
        self.done = true;
        // Off the map first: whoever comes now starts a flight of its own.
        self.flights.remove(&self.key, &self.flight);
        let landing = self.landing.take().unwrap_or_else(Landing::opaque);
        self.flight.state().phase = Phase::Landed(landing);
        self.flight.changed.notify_waiters();
    }

    /// Leaves the flight to its followers, or ends it where there are none.
    fn abandon(&mut self) {
        let mut flights = self.flights.shard(&self.key);
        let mut state = self.flight.state();
        if state.followers == 0 {
            if flights
                .get(&self.key)
                .is_some_and(|there| Arc::ptr_eq(there, &self.flight))
            {
                flights.remove(&self.key);
            }
            return;
        }
        let left = self.bequest.take().or_else(|| self.inherited.take());
        state.phase = Phase::Vacant(left);
        drop(state);
        drop(flights);
        self.flight.changed.notify_waiters();
    }
}

impl<H: Send + 'static> Drop for Leader<H> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        if self.landing.is_some() {
            self.finish();
        } else {
            self.abandon();
        }
    }
}

/// Waiting for another call's compute.
#[derive(Debug)]
pub(crate) struct Follower<H: Send + 'static> {
    flights: Arc<Flights<H>>,
    key: LocalKey,
    flight: Arc<Flight<H>>,
    landing: std::pin::Pin<Box<OwnedNotified>>,
    joined: Position,
    /// The tags for which the flight passed the test; `None` where it had noted no head yet.
    tested: Option<Arc<[TagHash]>>,
    _waiting: Waiting,
}

/// What a wait came to.
#[derive(Debug)]
pub(crate) enum Awaited<H: Send + 'static> {
    Landed(Landing),
    /// The leader went away; this call leads now.
    Elected(Leader<H>),
}

impl<H: Send + 'static> Follower<H> {
    /// The position of the view when this call joined.
    pub(crate) fn joined(&self) -> Position {
        self.joined
    }

    /// Where a landing that this follower accepts is known to be current: no tag of it has moved
    /// from where it began to where this follower joined.
    pub(crate) fn knows(&self, at: Position) -> Position {
        if at.log == self.joined.log && at.head < self.joined.head {
            self.joined
        } else {
            at
        }
    }

    pub(crate) fn tested(&self) -> Option<&[TagHash]> {
        self.tested.as_deref()
    }

    /// Waits for the flight to land, or to be taken over. Bounding the wait is the caller's.
    pub(crate) async fn wait(&mut self) -> Awaited<H> {
        loop {
            // Armed before the look, so that a change between the two is not missed.
            self.landing.as_mut().enable();
            if let Some(awaited) = self.look() {
                return awaited;
            }
            self.landing.as_mut().await;
            self.landing
                .set(Arc::clone(&self.flight.changed).notified_owned());
        }
    }

    fn look(&self) -> Option<Awaited<H>> {
        let mut state = self.flight.state();
        match &mut state.phase {
            Phase::Landed(landing) => Some(Awaited::Landed(landing.clone())),
            Phase::Vacant(left) => {
                let left = left.take();
                state.phase = Phase::Preparing;
                drop(state);
                Some(Awaited::Elected(self.flights.leader(
                    &self.key,
                    &self.flight,
                    left,
                )))
            }
            Phase::Preparing | Phase::Computing(_) => None,
        }
    }
}

impl<H: Send + 'static> Drop for Follower<H> {
    fn drop(&mut self) {
        let mut flights = self.flights.shard(&self.key);
        let mut state = self.flight.state();
        state.followers -= 1;
        let is_last = state.followers == 0;
        // The last one to wait for an heir goes too: what the leader left is given up.
        let given_up = match &mut state.phase {
            Phase::Vacant(left) if is_last => {
                if flights
                    .get(&self.key)
                    .is_some_and(|there| Arc::ptr_eq(there, &self.flight))
                {
                    flights.remove(&self.key);
                }
                left.take()
            }
            _ => None,
        };
        drop(state);
        drop(flights);
        drop(given_up);
    }
}

#[cfg(test)]
mod tests;
