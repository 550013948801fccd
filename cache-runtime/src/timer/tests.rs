//! Alarms: on a clock that stands still, on one that runs, and on any thread.

use std::pin::Pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Alarm, block_on, until};
use crate::clock::Clock;

fn is_ready<F: Future + Unpin>(future: &mut F) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    Pin::new(future).poll(&mut cx).is_ready()
}

#[test]
fn an_alarm_can_be_kept_anywhere() {
    fn assert<T: Send + Sync + Unpin>() {}
    assert::<Alarm>();
}

#[test]
fn a_manual_clock_rings_an_alarm_at_its_moment_and_not_before() {
    let clock = Arc::new(Clock::manual());
    let mut alarm = Alarm::at(&clock, clock.now() + 1_000);
    assert!(!is_ready(&mut alarm));
    clock.advance(Duration::from_millis(999));
    assert!(!is_ready(&mut alarm));
    clock.advance(Duration::from_millis(1));
    assert!(is_ready(&mut alarm));
    assert!(is_ready(&mut Alarm::at(&clock, 0)), "a moment long past");
}

#[test]
fn an_advance_wakes_who_waits() {
    struct Woken(std::sync::atomic::AtomicUsize);
    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    let clock = Arc::new(Clock::manual());
    let woken = Arc::new(Woken(0.into()));
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    let mut alarm = Alarm::at(&clock, clock.now() + 2_000);
    for times in 1..=2 {
        assert_eq!(Pin::new(&mut alarm).poll(&mut cx), Poll::Pending);
        clock.advance(Duration::from_secs(1));
        let so_far = woken.0.load(std::sync::atomic::Ordering::SeqCst);
        assert_eq!(so_far, times, "each advance wakes it");
    }
    assert_eq!(Pin::new(&mut alarm).poll(&mut cx), Poll::Ready(()));
}

/// No advance is lost between an alarm's look at the clock and its wait.
#[test]
fn an_advance_at_any_moment_is_noticed() {
    for _ in 0..2_000 {
        let clock = Arc::new(Clock::manual());
        let alarm = Alarm::at(&clock, clock.now() + 2);
        let start = Arc::new(Barrier::new(2));
        let started = Arc::clone(&start);
        let waiting = std::thread::spawn(move || {
            started.wait();
            block_on(alarm);
        });
        start.wait();
        clock.advance(Duration::from_millis(1));
        clock.advance(Duration::from_millis(1));
        waiting.join().expect("it ends, or this test does not");
    }
}

#[test]
fn a_running_clock_rings_by_itself_with_a_runtime_and_without() {
    let ring = || async {
        let clock = Arc::new(Clock::default());
        let moment = clock.now() + 20;
        Alarm::at(&clock, moment).await;
        assert!(clock.now() >= moment);
    };
    block_on(ring());
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    runtime.block_on(ring());
}

#[test]
fn a_running_clock_that_is_advanced_rings_at_once() {
    let clock = Arc::new(Clock::default());
    let mut alarm = Alarm::at(&clock, clock.now() + 3_600_000);
    let _runtime = super::own().expect("a thread of ours").enter();
    assert!(!is_ready(&mut alarm));
    clock.advance(Duration::from_hours(1));
    assert!(is_ready(&mut alarm));
}

#[test]
fn a_wait_ends_with_its_future_or_at_its_moment() {
    let clock = Arc::new(Clock::manual());
    let moment = clock.now() + 10;
    assert_eq!(block_on(until(&clock, 0, async { 7 })), Some(7));
    let (send, receive) = oneshot::channel::<u8>();
    let mut waiting = Box::pin(until(&clock, moment, receive));
    assert!(!is_ready(&mut waiting));
    clock.advance(Duration::from_millis(10));
    assert_eq!(block_on(waiting), None);
    assert!(
        send.send(1).is_err(),
        "the future was dropped with the wait"
    );
}
