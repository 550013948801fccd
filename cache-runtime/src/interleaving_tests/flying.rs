//! Who joins which flight, and what followers accept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::future::block_on;

use super::calling::{Form, Setting, beside, call, get, named};
use super::explore;
use super::oracle::{Source, Threads, key, tag};
use crate::flight::{Awaited, Course, Flights, Landing, Leader, Role};
use crate::log::{Judgement, Position, View};

const FLIES: Form = Form {
    flies: true,
    by_result: false,
    fails: false,
};

#[test]
fn who_comes_after_an_invalidation_joins_no_older_flight() {
    explore(
        "who_comes_after_an_invalidation_joins_no_older_flight",
        || {
            let setting = Setting::new();
            let mut threads = Threads::new();
            beside(&mut threads, &setting, FLIES, 2);
            threads.join();
            assert_eq!(call(&setting, FLIES), 2);
            assert_eq!(setting.flights(), 0);
        },
    );
}

/// An error follows from what was read as a value does; here, from a call in the body, of which
/// nobody knew at the joining.
#[test]
fn a_follower_takes_nothing_that_moved_before_it_joined() {
    explore(
        "a_follower_takes_nothing_that_moved_before_it_joined",
        || {
            let setting = Setting::new();
            let mut threads = Threads::new();
            for _ in 0..2 {
                let setting = Arc::clone(&setting);
                threads.start(move || {
                    let least = setting.source.least();
                    let failing = async { Err(get(&setting, FLIES).await) };
                    let got = block_on(named(&setting, "failing", failing));
                    assert!(got >= least, "{got} after {least} was acknowledged");
                });
            }
            let writer = Arc::clone(&setting);
            threads.start(move || writer.invalidate());
            threads.join();
            assert_eq!(setting.flights(), 0);
        },
    );
}

/// At the joining nobody knew of it.
#[test]
fn a_tag_of_the_result_is_tested_at_the_landing() {
    explore("a_tag_of_the_result_is_tested_at_the_landing", || {
        let setting = Setting::new();
        let form = Form {
            by_result: true,
            ..FLIES
        };
        let mut threads = Threads::new();
        beside(&mut threads, &setting, form, 2);
        threads.join();
        assert_eq!(call(&setting, form), 2);
        assert_eq!(setting.flights(), 0);
    });
}

fn landing(number: u64, at: Position) -> Landing {
    Landing::Value {
        value: Arc::new(number),
        at,
        tags: Arc::from([tag(1)]),
        found: false,
    }
}

/// Whoever has seen it land finds the seat free.
#[test]
fn a_flight_leaves_the_map_before_it_lands() {
    explore("a_flight_leaves_the_map_before_it_lands", || {
        let flights = Flights::<()>::new();
        let at = Position { log: 1, head: 0 };
        let mut threads = Threads::new();
        for _ in 0..2 {
            let flights = Arc::clone(&flights);
            threads.start(move || match flights.enter(&key(1), |_| true, || at) {
                Role::Leader(leader) => leader.land(landing(1, at)),
                Role::Follower(mut follower) => match block_on(follower.wait()) {
                    Awaited::Landed(_) => {
                        // No third comes by: nobody else can have taken it.
                        let leader = flights.lead(&key(1));
                        leader.expect("the seat").land(landing(2, at));
                    }
                    Awaited::Elected(_) => panic!("the leader has landed"),
                },
                Role::Alone => panic!("no body is polled"),
            });
        }
        threads.join();
        assert_eq!(flights.len(), 0);
    });
}

/// A call as far as its flight goes, counting the computes that all who come now are admitted to.
fn fly(flights: &Arc<Flights<()>>, view: &View, source: &Source, newest: &AtomicUsize) -> u64 {
    let admits = |course: &Course| view.judge(course.at, &course.tags) == Judgement::Current;
    let compute = |leader: Leader<()>| {
        let at = view.position();
        leader.computes(Course {
            at,
            owes: 0,
            since: 0,
            tags: Arc::from([tag(1)]),
        });
        let is_newest = usize::from(at.head == 1);
        let before = newest.fetch_add(is_newest, Ordering::SeqCst);
        assert!(before + is_newest <= 1, "two computes at a time");
        let number = source.read();
        newest.fetch_sub(is_newest, Ordering::SeqCst);
        leader.land(landing(number, at));
        number
    };
    loop {
        let mut follower = match flights.enter(&key(1), admits, || view.position()) {
            Role::Leader(leader) => return compute(leader),
            Role::Follower(follower) => follower,
            Role::Alone => panic!("no body is polled"),
        };
        match block_on(follower.wait()) {
            Awaited::Elected(leader) => return compute(leader),
            Awaited::Landed(Landing::Value {
                value, at, tags, ..
            }) => {
                if view.accepts(at, follower.joined(), &tags, follower.tested()) {
                    return *value.downcast_ref().expect("a number");
                }
            }
            Awaited::Landed(Landing::Failed { .. }) => panic!("it does not fail"),
        }
    }
}

/// At most one, of those whose compute may be joined. One that may not be is replaced on the map,
/// and leaves the other there when it lands.
#[test]
fn one_key_has_one_leader_at_a_time() {
    explore("one_key_has_one_leader_at_a_time", || {
        let flights = Flights::<()>::new();
        let parts = Arc::new((View::in_memory(), Source::default(), AtomicUsize::new(0)));
        let mut threads = Threads::new();
        for _ in 0..3 {
            let (flights, parts) = (Arc::clone(&flights), Arc::clone(&parts));
            threads.start(move || {
                let (view, source, newest) = &*parts;
                let least = source.least();
                let got = fly(&flights, view, source, newest);
                assert!(got >= least, "{got} after {least} was acknowledged");
            });
        }
        let writer = Arc::clone(&parts);
        threads.start(move || {
            let (view, source, _) = &*writer;
            let number = source.change();
            view.append(&[tag(1)]);
            source.acknowledge(number);
        });
        threads.join();
        assert_eq!(flights.len(), 0);
    });
}

/// Whoever comes too late to join finds what was stored.
#[test]
fn without_an_invalidation_one_compute_is_enough() {
    explore("without_an_invalidation_one_compute_is_enough", || {
        let setting = Setting::new();
        let mut threads = Threads::new();
        for _ in 0..3 {
            let setting = Arc::clone(&setting);
            threads.start(move || {
                call(&setting, FLIES);
            });
        }
        threads.join();
        assert_eq!(setting.cache.stats().computed, 1);
    });
}

/// One task computes a value of another, and a second that of the first: each leads what the other
/// would wait for.
#[test]
fn a_circle_of_waits_is_not_closed() {
    explore("a_circle_of_waits_is_not_closed", || {
        let setting = Setting::new();
        let mut threads = Threads::new();
        for (outer, inner) in [("f", "g"), ("g", "f")] {
            let setting = Arc::clone(&setting);
            threads.start(move || {
                let inner = named(&setting, inner, std::future::ready(Ok(1)));
                let outer = named(&setting, outer, async { Ok(inner.await) });
                assert_eq!(block_on(outer), 1);
            });
        }
        threads.join();
        assert_eq!(setting.flights(), 0);
    });
}
