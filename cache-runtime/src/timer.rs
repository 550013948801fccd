//! Timers, tasks and blocking waits: on the caller's Tokio runtime where there is one that goes on
//! meanwhile, else on a thread of ours. It starts that thread only when something asks for it. Waits
//! for a time of a cache's own clock are here too; what that shows is `clock`'s.

use std::cell::Cell;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::Sleep;

use crate::clock::{Clock, LAG, Millis};
use crate::sync::{self, Condvar, Mutex, OwnedNotified};

/// The runtime for processes, or threads, without one.
static OWN: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("afresh");
    started(builder.on_thread_start(|| IS_OURS.with(|ours| ours.set(true))))
});

/// The runtime for users' code in the background, where there is none: it may block its threads,
/// and what it waits for goes on elsewhere.
static WORK: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    started(builder.worker_threads(2).thread_name("afresh-work"))
});

fn started(builder: &mut Builder) -> Option<Runtime> {
    match builder.enable_all().build() {
        Ok(runtime) => Some(runtime),
        Err(error) => {
            tracing::error!(target: "afresh", %error, "no thread could be started");
            None
        }
    }
}

sync::thread_local! {
    /// Whether this thread is in [`block_on`]: a runtime of the caller's stands still meanwhile.
    static BLOCKED: Cell<bool> = const { Cell::new(false) };
    /// Whether this is the thread that everything in [`block_on`] waits for.
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread may wait for something that goes on elsewhere. It may not where it is our
/// own, on which users' code runs only when an observer is told something.
pub(crate) fn may_block() -> bool {
    !IS_OURS.with(Cell::get)
}

/// The runtime of this crate's own thread.
pub(crate) fn own() -> Option<Handle> {
    OWN.as_ref().map(|runtime| runtime.handle().clone())
}

/// The runtime to use from here: the caller's, else ours.
pub(crate) fn handle() -> Option<Handle> {
    if BLOCKED.with(Cell::get) {
        return own();
    }
    Handle::try_current().ok().or_else(own)
}

/// The runtime for users' code in the background: the caller's, else one that is there for that.
pub(crate) fn for_work() -> Option<Handle> {
    let own = || WORK.as_ref().map(|runtime| runtime.handle().clone());
    if BLOCKED.with(Cell::get) || IS_OURS.with(Cell::get) {
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
            BLOCKED.with(|blocked| blocked.set(self.0));
        }
    }

    // The task that this thread may be running has a budget, which nothing renews meanwhile.
    let mut future = pin!(tokio::task::unconstrained(future));
    let signal = Arc::new(Signal::default());
    let waker = Waker::from(Arc::clone(&signal));
    let mut cx = Context::from_waker(&waker);
    loop {
        let polled = {
            let _blocked = Restore(BLOCKED.with(|blocked| blocked.replace(true)));
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

/// Ready once a clock shows this moment. While the clock runs, a timer of the machine's wakes it;
/// and each advance does. As with [`sleep`], where no timer can be had, there is nothing to wait
/// for.
pub(crate) struct Alarm {
    clock: Arc<Clock>,
    moment: Millis,
    /// What wakes it, from its first wait on.
    armed: Option<Armed>,
}

struct Armed {
    moved: Pin<Box<OwnedNotified>>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    pub(crate) fn at(clock: &Arc<Clock>, moment: Millis) -> Self {
        Self {
            clock: Arc::clone(clock),
            moment,
            armed: None,
        }
    }

    fn left(&self) -> Duration {
        Duration::from_millis(self.moment.saturating_sub(self.clock.now()))
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm")
            .field("left", &self.left())
            .finish_non_exhaustive()
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.left().is_zero() {
                return Poll::Ready(());
            }
            let mut armed = self.armed.take().unwrap_or_else(|| Armed {
                moved: Box::pin(self.clock.moved()),
                timer: None,
            });
            // The wait begins before the clock is looked at once more: an advance in between is
            // either seen there or wakes this.
            if armed.moved.as_mut().poll(cx).is_ready() {
                continue;
            }
            let left = self.left();
            if left.is_zero() {
                return Poll::Ready(());
            }
            if !self.clock.is_manual() {
                // The clock lags behind the timer. Where that has run, it counts: it may be one of a
                // paused runtime.
                let timer = armed.timer.take();
                let Some(mut timer) = timer.or_else(|| sleep(left + LAG).map(Box::pin)) else {
                    return Poll::Ready(());
                };
                if timer.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                armed.timer = Some(timer);
            }
            self.armed = Some(armed);
            return Poll::Pending;
        }
    }
}

/// Waits for a future, at most until a clock shows this moment.
pub(crate) async fn until<F: Future>(
    clock: &Arc<Clock>,
    moment: Millis,
    future: F,
) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut alarm = Alarm::at(clock, moment);
    std::future::poll_fn(move |cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        Pin::new(&mut alarm).poll(cx).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests;
