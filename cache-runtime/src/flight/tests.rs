//! Flights by themselves: who gets which seat, what followers find, and that the map is empty
//! when everyone has gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use super::*;
use crate::local::Home;

fn key(word: u64) -> LocalKey {
    LocalKey {
        hash: word,
        home: Home::function(std::any::TypeId::of::<()>()),
        words: [word].into(),
    }
}

fn position(head: u64) -> Position {
    Position { log: 1, head }
}

fn enter<H: Send + 'static>(flights: &Arc<Flights<H>>, admits: bool) -> Role<H> {
    flights.enter(&key(1), |_| admits, || position(5))
}

fn lead<H: Send + std::fmt::Debug + 'static>(flights: &Arc<Flights<H>>) -> Leader<H> {
    match enter(flights, false) {
        Role::Leader(leader) => leader,
        other => panic!("{other:?}"),
    }
}

fn follow<H: Send + std::fmt::Debug + 'static>(flights: &Arc<Flights<H>>) -> Follower<H> {
    match enter(flights, true) {
        Role::Follower(follower) => follower,
        other => panic!("{other:?}"),
    }
}

fn landing(number: u32) -> Landing {
    Landing::Value {
        value: Arc::new(number),
        at: position(5),
        tags: Arc::from([]),
        found: false,
    }
}

/// What a follower finds now, if it need not wait.
fn look<H: Send + 'static>(follower: &mut Follower<H>) -> Option<Awaited<H>> {
    let wait = std::pin::pin!(follower.wait());
    match wait.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(awaited) => Some(awaited),
        Poll::Pending => None,
    }
}

fn elected<H: Send + std::fmt::Debug + 'static>(follower: &mut Follower<H>) -> Leader<H> {
    match look(follower) {
        Some(Awaited::Elected(leader)) => leader,
        other => panic!("{other:?}"),
    }
}

fn landed<H: Send + std::fmt::Debug + 'static>(follower: &mut Follower<H>) -> u32 {
    match look(follower) {
        Some(Awaited::Landed(Landing::Value { value, .. })) => {
            *value.downcast_ref().expect("a number")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_leads_and_the_others_follow() {
    let flights = Flights::<()>::new();
    let leader = lead(&flights);
    let (mut early, mut late) = (follow(&flights), follow(&flights));
    assert!(look(&mut early).is_none());
    leader.land(landing(7));
    assert_eq!((landed(&mut early), landed(&mut late)), (7, 7));
    assert_eq!(flights.len(), 0);
}

#[test]
fn before_the_head_is_noted_all_may_join_and_afterwards_those_who_pass() {
    let flights = Flights::<()>::new();
    let leader = lead(&flights);
    let Role::Follower(before) = enter(&flights, false) else {
        panic!("not asked before the head is noted");
    };
    assert_eq!((before.tested(), before.joined()), (None, position(5)));
    let tags: Arc<[TagHash]> = Arc::from([TagHash::all()]);
    leader.computes(Course {
        at: position(4),
        owes: 0,
        since: 0,
        tags: Arc::clone(&tags),
    });
    assert_eq!(follow(&flights).tested(), Some(&*tags));
    let next = lead(&flights);
    assert_eq!(flights.len(), 1, "the newer one stands in the map");
    let mut after = follow(&flights);
    leader.land(landing(1));
    assert!(
        look(&mut after).is_none(),
        "the older one's landing is not its"
    );
    next.land(landing(2));
    assert_eq!(landed(&mut after), 2);
    assert_eq!(flights.len(), 0);
}

#[test]
fn a_leader_that_goes_leaves_one_heir_and_what_it_had() {
    let flights = Flights::<&str>::new();
    let mut leader = lead(&flights);
    leader.bequeath(Some("lease"));
    let (mut one, mut two) = (follow(&flights), follow(&flights));
    drop(leader);
    let mut heir = elected(&mut one);
    drop(one);
    assert_eq!(heir.inherit(), Some("lease"));
    assert!(look(&mut two).is_none(), "there is one heir");
    assert_eq!(heir.inherit(), None);
    heir.land(landing(3));
    assert_eq!(landed(&mut two), 3);
    assert_eq!(flights.len(), 0);
}

#[test]
fn what_an_heir_did_not_take_goes_to_the_next() {
    let flights = Flights::<&str>::new();
    let mut leader = lead(&flights);
    leader.bequeath(Some("lease"));
    let (mut one, mut two) = (follow(&flights), follow(&flights));
    drop(leader);
    drop(elected(&mut one));
    assert_eq!(elected(&mut two).inherit(), Some("lease"));
}

#[test]
fn a_call_that_comes_while_the_seat_is_vacant_takes_it() {
    let flights = Flights::<&str>::new();
    let mut leader = lead(&flights);
    leader.bequeath(Some("lease"));
    let mut follower = follow(&flights);
    drop(leader);
    let mut heir = lead(&flights);
    assert_eq!(heir.inherit(), Some("lease"));
    assert!(look(&mut follower).is_none());
    heir.land(landing(4));
    assert_eq!(landed(&mut follower), 4);
}

/// Counts how many are left, to see when something is given up.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn when_all_have_gone_nothing_is_left() {
    let flights = Flights::new();
    let given_up = Arc::new(AtomicUsize::new(0));
    drop(lead(&flights));
    assert_eq!(flights.len(), 0, "nobody waited");
    let mut leader = lead(&flights);
    leader.bequeath(Some(Counted(Arc::clone(&given_up))));
    let followers = (follow(&flights), follow(&flights));
    drop(leader);
    assert_eq!(flights.len(), 1, "it waits for an heir");
    drop(followers);
    assert_eq!(flights.len(), 0);
    assert_eq!(given_up.load(Ordering::SeqCst), 1);
}

#[test]
fn once_prepared_a_flight_lands_whatever_becomes_of_its_leader() {
    let flights = Flights::<()>::new();
    let mut leader = lead(&flights);
    let mut follower = follow(&flights);
    leader.prepare(landing(5));
    drop(leader);
    assert_eq!(landed(&mut follower), 5);
    assert_eq!(flights.len(), 0);
}

#[test]
fn a_landing_between_two_looks_is_not_missed() {
    let flights = Flights::<()>::new();
    let leader = lead(&flights);
    let mut follower = follow(&flights);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut wait = Box::pin(follower.wait());
    assert!(
        wait.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    leader.land(landing(6));
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    assert!(
        wait.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
    );
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_call_inside_a_flight_does_not_follow_it() {
    let flights = Flights::<()>::new();
    let leader = lead(&flights);
    let aboard = scope::Inside::enter(Some(leader.flight()), None);
    assert!(matches!(enter(&flights, true), Role::Alone));
    drop(aboard);
    assert!(matches!(enter(&flights, true), Role::Follower(_)));
}

/// Leaders that go, followers that go, on real threads: every follower finds a landing or a seat.
#[test]
fn nobody_is_left_waiting() {
    let flights = Flights::<u32>::new();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let flights = Arc::clone(&flights);
            std::thread::spawn(move || {
                for turn in 0..2_000 {
                    let mut leader = match enter(&flights, true) {
                        Role::Leader(leader) => leader,
                        Role::Follower(mut follower) => {
                            if (thread + turn) % 7 == 0 {
                                continue;
                            }
                            match block_on(follower.wait()) {
                                Awaited::Elected(leader) => leader,
                                Awaited::Landed(_) => continue,
                            }
                        }
                        Role::Alone => panic!("no body is polled"),
                    };
                    leader.bequeath(Some(turn));
                    if (thread + turn) % 3 == 0 {
                        leader.land(landing(turn));
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    assert_eq!(flights.len(), 0);
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let parked = std::time::Instant::now();
        std::thread::park_timeout(std::time::Duration::from_secs(30));
        assert!(parked.elapsed().as_secs() < 30, "it hangs");
    }
}
