//! Timers and tasks, on the caller's Tokio runtime where there is one and on a thread of ours
//! where there is none. It starts that thread only when something asks for it.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::Sleep;

/// The runtime for processes, or threads, without one.
static OWN: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let built = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("afresh")
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

/// The runtime to use from here: the caller's, else ours.
pub(crate) fn handle() -> Option<Handle> {
    Handle::try_current()
        .ok()
        .or_else(|| OWN.as_ref().map(|runtime| runtime.handle().clone()))
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
        use std::task::Poll;
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
