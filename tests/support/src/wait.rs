//! Bounded waiting by looking again. There is no plain sleep in the tests: each wait names what
//! it waits for, and fails with that name.

use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

/// How long anything here waits before it fails the test.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Looks every few milliseconds until `done` holds; fails the test after [`PATIENCE`].
#[track_caller]
pub fn eventually(what: &str, done: impl FnMut() -> bool) {
    assert!(
        within(PATIENCE, done),
        "waited {} s in vain: {what}",
        PATIENCE.as_secs()
    );
}

/// As [`eventually`], where looking is itself a matter of waiting, or what is waited for goes on in
/// the same task. Returns how long it took.
///
/// # Panics
/// Where it has not come true within [`PATIENCE`].
pub async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !done().await {
        assert!(
            began.elapsed() < PATIENCE,
            "waited {} s in vain: {what}",
            PATIENCE.as_secs()
        );
        next_turn().await;
    }
    began.elapsed()
}

/// Lets the others of this task, and of its runtime, have their turn.
async fn next_turn() {
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Looks until `done` holds or `limit` is over; whether it held.
pub(crate) fn within(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    // Short looks first: most things are true at once, the rest deserve the processor.
    let mut pause = Duration::from_micros(200);
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_ends_at_its_limit() {
        let began = Instant::now();
        assert!(!within(Duration::from_millis(30), || false));
        assert!(began.elapsed() >= Duration::from_millis(30));
    }

    #[test]
    fn eventually_looks_again() {
        let mut looks = 0;
        eventually("the third look", || {
            looks += 1;
            looks == 3
        });
    }
}
