//! Tokio's `Notify` as far as it is used here, made of shuttle's primitives: a wait that began
//! before `notify_waiters` is called ends by it, whether it has been polled or not. There is no
//! `notify_one`.

use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use shuttle::sync::{Mutex, MutexGuard};

/// Wakes all who wait.
#[derive(Debug, Default)]
pub(crate) struct Notify {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How often it was notified.
    calls: u64,
    /// The number of the next wait.
    next: u64,
    waiting: Vec<(u64, Waker)>,
}

impl Notify {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A wait, which begins here.
    pub(crate) fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        let mut state = self.state();
        let (calls, number) = (state.calls, state.next);
        state.next += 1;
        drop(state);
        OwnedNotified {
            notify: self,
            calls,
            number,
        }
    }

    /// Ends all waits that have begun.
    pub(crate) fn notify_waiters(&self) {
        let mut state = self.state();
        state.calls += 1;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for (_, waker) in waiting {
            waker.wake();
        }
    }
}

/// A wait for the next notification.
#[derive(Debug)]
pub(crate) struct OwnedNotified {
    notify: Arc<Notify>,
    /// How often it had been notified when the wait began.
    calls: u64,
    number: u64,
}

impl OwnedNotified {
    /// Whether the wait is over. Nothing is armed: it ends from its beginning on.
    pub(crate) fn enable(self: Pin<&mut Self>) -> bool {
        self.notify.state().calls != self.calls
    }
}

impl Future for OwnedNotified {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.notify.state();
        if state.calls != self.calls {
            return Poll::Ready(());
        }
        state.waiting.retain(|(number, _)| *number != self.number);
        state.waiting.push((self.number, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for OwnedNotified {
    fn drop(&mut self) {
        let number = self.number;
        let mut state = self.notify.state();
        state.waiting.retain(|(other, _)| *other != number);
    }
}
