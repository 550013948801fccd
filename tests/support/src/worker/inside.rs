//! The worker's side of the line: taking orders, blocking or not, on any runtime.

use std::collections::VecDeque;
use std::fmt::Display;
use std::future::poll_fn;
use std::io::{BufRead as _, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::{env, io, process, thread};

use super::{MARK, READY, VARIABLE};
use crate::wait::PATIENCE;

/// A worker's end of the line to the test that started it.
#[derive(Debug)]
pub struct Steer {
    inbox: Arc<Inbox>,
}

#[derive(Debug, Default)]
struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    orders: VecDeque<String>,
    closed: bool,
    waker: Option<Waker>,
}

impl Steer {
    /// The line, where this process is a worker; `None` in an ordinary run of the tests.
    #[must_use]
    pub fn take() -> Option<Self> {
        env::var_os(VARIABLE)?;
        let inbox = Arc::<Inbox>::default();
        thread::spawn({
            let inbox = Arc::clone(&inbox);
            move || inbox.fill()
        });
        let steer = Self { inbox };
        steer.say(READY);
        Some(steer)
    }

    /// Answers with one line.
    pub fn say(&self, line: impl Display) {
        let line = line.to_string();
        assert!(!line.contains('\n'), "a worker says one line at a time");
        // The harness may have printed the beginning of a line: hence a new one first.
        let mut out = io::stdout().lock();
        let said = write!(out, "\n{MARK}{line}\n").and_then(|()| out.flush());
        said.expect("the test that started this worker is gone");
    }

    /// Waits for the next order; `None` when there will be none. It blocks the thread: on a
    /// current-thread runtime use [`hear_async`](Self::hear_async).
    #[must_use]
    pub fn hear(&self) -> Option<String> {
        let waits = |state: &mut State| state.orders.is_empty() && !state.closed;
        let state = self.inbox.changed.wait_while(self.inbox.lock(), waits);
        state
            .unwrap_or_else(PoisonError::into_inner)
            .orders
            .pop_front()
    }

    /// Waits for the next order without blocking; `None` when there will be none.
    pub async fn hear_async(&self) -> Option<String> {
        poll_fn(|context| {
            let mut state = self.inbox.lock();
            if state.orders.is_empty() && !state.closed {
                state.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(state.orders.pop_front())
        })
        .await
    }
}

impl Inbox {
    fn fill(&self) {
        for order in io::stdin().lock().lines().map_while(Result::ok) {
            self.change(|state| state.orders.push_back(order));
        }
        self.change(|state| state.closed = true);
        // A worker that does not end by itself, because the test that started it is gone, say.
        thread::sleep(PATIENCE);
        process::exit(1);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
