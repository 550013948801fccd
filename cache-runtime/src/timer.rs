//! Timers, tasks and blocking waits: on the caller's Tokio runtime where there is one that goes on
//! meanwhile, else on a thread of ours. It starts that thread only when something asks for it.

use std::cell::Cell;
use std::pin::pin;
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::Sleep;

/// The runtime for processes, or threads, without one.
static OWN: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let built = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("afresh")
        .on_thread_start(|| IS_OURS.set(true))
        .enable_all()
        .build();
    match built {
        Ok(runtime) => Some(runtime),
        Err(error) => {
            tracing::error!(target: "afresh", %error, "no thread could be started for timers");
            None
        }
    }
});

thread_local! {
    /// Whether this thread is in [`block_on`]: a runtime of the caller's stands still meanwhile.
    static BLOCKED: Cell<bool> = const { Cell::new(false) };
    /// Whether this is the thread that everything in [`block_on`] waits for.
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread may wait for something that goes on elsewhere. It may not where it is our
/// own, on which users' code runs only when an observer is told something.
pub(crate) fn may_block() -> bool {
    !IS_OURS.get()
}

/// The runtime of this crate's own thread.
pub(crate) fn own() -> Option<Handle> {
    OWN.as_ref().map(|runtime| runtime.handle().clone())
}

/// The runtime to use from here: the caller's, else ours.
pub(crate) fn handle() -> Option<Handle> {
    if BLOCKED.get() {
        return own();
    }
    Handle::try_current().ok().or_else(own)
}

/// Blocks this thread until a future is ready. For sync functions, which may be called anywhere:
/// on a thread without a runtime, or on a worker of one, which is then not there to serve the
/// future. So what the future starts meanwhile (timers, tasks) starts on a thread of ours.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    /// Wakes one blocked thread. Not `Thread::unpark`, whose token an executor further up the stack
    /// may be waiting for.
    #[derive(Default)]
    struct Signal {
        woken: Mutex<bool>,
        changed: Condvar,
    }

    impl Signal {
        fn wait(&self) {
            let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
            let woken = self.changed.wait_while(woken, |woken| !*woken);
            *woken.unwrap_or_else(PoisonError::into_inner) = false;
        }
    }

    impl Wake for Signal {
        fn wake(self: Arc<Self>) {
            *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.changed.notify_one();
        }
    }

    struct Restore(bool);

    impl Drop for Restore {
        fn drop(&mut self) {
            BLOCKED.set(self.0);
        }
    }

    // The task that this thread may be running has a budget, which nothing renews meanwhile.
    let mut future = pin!(tokio::task::unconstrained(future));
    let signal = Arc::new(Signal::default());
    let waker = Waker::from(Arc::clone(&signal));
    let mut cx = Context::from_waker(&waker);
    loop {
        let polled = {
            let _blocked = Restore(BLOCKED.replace(true));
            future.as_mut().poll(&mut cx)
        };
        match polled {
            Poll::Ready(output) => return output,
            Poll::Pending => signal.wait(),
        }
    }
}

/// A sleep that works with or without a runtime around. Where not even a thread of ours could be
/// started, there is nothing to sleep on, and the wait that it bounds is refused.
pub(crate) fn sleep(duration: Duration) -> Option<Sleep> {
    let handle = handle()?;
    let _inside = handle.enter();
    Some(tokio::time::sleep(duration))
}

/// Waits for a future, at most this long.
pub(crate) async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    // Most futures here are ready at once or soon: the timer is made at the first wait.
    let mut timer = std::pin::pin!(None);
    std::future::poll_fn(move |cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        if timer.is_none() {
            match sleep(duration) {
                Some(sleep) => timer.set(Some(sleep)),
                None => return Poll::Ready(None),
            }
        }
        match timer.as_mut().as_pin_mut() {
            Some(timer) => timer.poll(cx).map(|()| None),
            None => Poll::Ready(None),
        }
    })
    .await
}
