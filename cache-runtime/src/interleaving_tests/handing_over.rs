//! Leaders and followers that go before the flight has landed.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use shuttle::future::block_on;
use shuttle::rand::{Rng as _, thread_rng};

use super::calling::{Form, Setting, beside, call, get};
use super::explore;
use super::oracle::{Threads, key};
use crate::clock::Clock;
use crate::flight::{Awaited, Flights, Landing, Leader, Role};
use crate::log::Position;
use crate::timer::{self, Alarm};

const AT: Position = Position { log: 1, head: 0 };
/// More than any call waits.
const WAIT: Duration = Duration::from_secs(31);

/// What a leader leaves behind, which counts how often it is given up.
#[derive(Debug)]
struct Bequest(Arc<AtomicUsize>);

impl Drop for Bequest {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn enter(flights: &Arc<Flights<Bequest>>) -> Role<Bequest> {
    flights.enter(&key(1), |_| true, || AT)
}

fn land(leader: Leader<Bequest>) {
    leader.land(Landing::opaque());
}

/// Leads a flight, with something to leave behind.
fn lead(flights: &Arc<Flights<Bequest>>, given_up: &Arc<AtomicUsize>) -> Leader<Bequest> {
    let Role::Leader(mut leader) = enter(flights) else {
        panic!("it is the first");
    };
    leader.bequeath(Some(Bequest(Arc::clone(given_up))));
    leader
}

/// The first leader goes; of those who follow or come just then, one has its seat and all that it
/// left, and the others get what that one lands with.
#[test]
fn a_leader_that_goes_has_one_heir() {
    explore("a_leader_that_goes_has_one_heir", || {
        let flights = Flights::new();
        let given_up = Arc::new(AtomicUsize::new(0));
        let inherited = Arc::new(AtomicUsize::new(0));
        let leader = lead(&flights, &given_up);
        let Role::Follower(first) = enter(&flights) else {
            panic!("there is a leader");
        };
        let mut threads = Threads::new();
        for role in [Some(first), None] {
            let (flights, inherited) = (Arc::clone(&flights), Arc::clone(&inherited));
            threads.start(move || {
                let role = role.map_or_else(|| enter(&flights), Role::Follower);
                let (mut leader, was_elected) = match role {
                    Role::Leader(leader) => (leader, false),
                    Role::Follower(mut follower) => match block_on(follower.wait()) {
                        Awaited::Elected(leader) => (leader, true),
                        Awaited::Landed(_) => return,
                    },
                    Role::Alone => panic!("no body is polled"),
                };
                match leader.inherit() {
                    Some(_) => {
                        let before = inherited.fetch_add(1, Ordering::SeqCst);
                        assert_eq!(before, 0, "it was inherited twice");
                    }
                    None => assert!(!was_elected, "what was left is lost"),
                }
                land(leader);
            });
        }
        threads.start(move || drop(leader));
        threads.join();
        assert_eq!(inherited.load(Ordering::SeqCst), 1);
        assert_eq!(given_up.load(Ordering::SeqCst), 1);
        assert_eq!(flights.len(), 0);
    });
}

/// It was given the seat and did not sit down.
#[test]
fn an_heir_that_goes_passes_on_what_it_had() {
    explore("an_heir_that_goes_passes_on_what_it_had", || {
        let flights = Flights::new();
        let given_up = Arc::new(AtomicUsize::new(0));
        let heirs = Arc::new(AtomicUsize::new(0));
        let leader = lead(&flights, &given_up);
        let followers = [(); 2].map(|()| enter(&flights));
        let mut threads = Threads::new();
        for role in followers {
            let heirs = Arc::clone(&heirs);
            let Role::Follower(mut follower) = role else {
                panic!("there is a leader");
            };
            threads.start(move || match block_on(follower.wait()) {
                Awaited::Elected(mut leader) => {
                    drop(follower);
                    if heirs.fetch_add(1, Ordering::SeqCst) == 1 {
                        assert!(leader.inherit().is_some(), "what was left is lost");
                        land(leader);
                    }
                }
                Awaited::Landed(_) => panic!("the first heir goes"),
            });
        }
        threads.start(move || drop(leader));
        threads.join();
        assert_eq!(heirs.load(Ordering::SeqCst), 2);
        assert_eq!(given_up.load(Ordering::SeqCst), 1);
        assert_eq!(flights.len(), 0);
    });
}

/// A leader and its followers all go, in any order; nothing of them is left, and who may come then
/// finds a flight to lead.
#[test]
fn the_last_to_go_clears_a_vacant_flight() {
    explore("the_last_to_go_clears_a_vacant_flight", || {
        let flights = Flights::new();
        let given_up = Arc::new(AtomicUsize::new(0));
        let leader = lead(&flights, &given_up);
        let followers = [(); 2].map(|()| enter(&flights));
        let mut threads = Threads::new();
        for follower in followers {
            threads.start(move || drop(follower));
        }
        threads.start(move || drop(leader));
        if thread_rng().gen_bool(0.5) {
            let flights = Arc::clone(&flights);
            threads.start(move || match enter(&flights) {
                Role::Leader(leader) => land(leader),
                Role::Follower(mut follower) => match block_on(follower.wait()) {
                    Awaited::Elected(leader) => land(leader),
                    Awaited::Landed(_) => panic!("nobody else lands"),
                },
                Role::Alone => panic!("no body is polled"),
            });
        }
        threads.join();
        assert_eq!(flights.len(), 0);
        assert_eq!(given_up.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_flight_that_is_prepared_lands_in_any_case() {
    explore("a_flight_that_is_prepared_lands_in_any_case", || {
        let flights = Flights::<Bequest>::new();
        let Role::Leader(mut leader) = enter(&flights) else {
            panic!("it is the first");
        };
        let mut threads = Threads::new();
        for _ in 0..2 {
            let flights = Arc::clone(&flights);
            threads.start(move || match enter(&flights) {
                // It came later than the landing.
                Role::Leader(leader) => land(leader),
                Role::Follower(mut follower) => match block_on(follower.wait()) {
                    Awaited::Landed(_) => {}
                    Awaited::Elected(_) => panic!("its compute is done"),
                },
                Role::Alone => panic!("no body is polled"),
            });
        }
        threads.start(move || {
            leader.prepare(Landing::opaque());
            drop(leader);
        });
        threads.join();
        assert_eq!(flights.len(), 0);
    });
}

/// Polls a future so many times, then drops it where it stands.
pub(super) struct CutOff<F> {
    pub(super) future: Pin<Box<F>>,
    pub(super) left: usize,
}

impl<F: Future> Future for CutOff<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = self.future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}

const FLIES: Form = Form {
    flies: true,
    by_result: false,
    fails: false,
};

#[test]
fn a_call_may_be_dropped_at_any_wait() {
    explore("a_call_may_be_dropped_at_any_wait", || {
        let setting = Setting::new();
        let mut threads = Threads::new();
        for _ in 0..2 {
            let setting = Arc::clone(&setting);
            threads.start(move || {
                let least = setting.source.least();
                let left = thread_rng().gen_range(1..4);
                let future = Box::pin(get(&setting, FLIES));
                if let Some(got) = block_on(CutOff { future, left }) {
                    assert!(got >= least, "{got} after {least} was acknowledged");
                }
            });
        }
        let reader = Arc::clone(&setting);
        threads.start(move || {
            call(&reader, FLIES);
        });
        let writer = Arc::clone(&setting);
        threads.start(move || writer.invalidate());
        threads.join();
        assert_eq!(call(&setting, FLIES), 1);
        assert_eq!(setting.flights(), 0);
    });
}

/// The clock shows the end of all waits, whatever they wait for; among them a leader that is not
/// polled any more, and goes only after that.
#[test]
fn a_wait_may_end_at_any_time() {
    explore("a_wait_may_end_at_any_time", || {
        let setting = Setting::new();
        let mut threads = Threads::new();
        beside(&mut threads, &setting, FLIES, 1);
        let (stuck, clock) = (Arc::clone(&setting), setting.clock.clone());
        threads.start(move || {
            let mut call = Box::pin(get(&stuck, FLIES));
            block_on(std::future::poll_fn(|cx| {
                let _ = call.as_mut().poll(cx);
                Poll::Ready(())
            }));
            clock.advance(WAIT);
            clock.advance(WAIT);
        });
        threads.join();
        assert_eq!(call(&setting, FLIES), 1);
        assert_eq!(setting.flights(), 0);
    });
}

#[test]
fn an_alarm_misses_no_advance_of_its_clock() {
    explore("an_alarm_misses_no_advance_of_its_clock", || {
        let clock = Arc::new(Clock::manual());
        let moment = clock.now() + 2;
        let mut threads = Threads::new();
        for _ in 0..2 {
            let clock = Arc::clone(&clock);
            threads.start(move || {
                let waited = timer::until(&clock, moment, std::future::pending::<()>());
                assert_eq!(block_on(waited), None);
            });
        }
        for _ in 0..2 {
            let clock = Arc::clone(&clock);
            threads.start(move || clock.advance(Duration::from_millis(1)));
        }
        threads.join();
    });
}

/// What ends a sync call's wait is not missed either.
#[test]
fn a_blocked_thread_misses_no_wake() {
    explore("a_blocked_thread_misses_no_wake", || {
        let clock = Arc::new(Clock::manual());
        let moment = clock.now() + 2;
        let mut threads = Threads::new();
        let waiter = Arc::clone(&clock);
        threads.start(move || timer::block_on(Alarm::at(&waiter, moment)));
        for _ in 0..2 {
            let clock = Arc::clone(&clock);
            threads.start(move || clock.advance(Duration::from_millis(1)));
        }
        threads.join();
    });
}
