//! Drops a future at each of its awaits, one after the other, in every way that a future can be
//! dropped. What it is a future of, and what must hold afterwards, is not known here.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::sync::Notify;

/// Ten times and more of what the slowest wait here takes.
pub(crate) const GUARD: Duration = Duration::from_secs(10);

pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// One that stays in its test.
pub(crate) type Local<T> = Pin<Box<dyn Future<Output = T>>>;

/// How a future is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Right after a poll: what it waits for has been asked for, and not more.
    Polled,
    /// When it has been woken after that, and is not polled again: what it waited for is there.
    Woken,
    /// Right after a poll, by a panic that passes its owner.
    Unwound,
    /// By a panic of the code that it runs, at the await of this number there.
    Panicked,
}

pub(crate) const WAYS: [Way; 4] = [Way::Polled, Way::Woken, Way::Unwound, Way::Panicked];

/// Where a future is let go: after so many polls; or, where its own code panics, there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) way: Way,
    pub(crate) at: usize,
}

/// What became of a future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was dropped after so many polls.
    Dropped(usize),
    /// It has returned before that.
    Ended,
}

/// Waits for something that must not hang.
pub(crate) async fn guard<F: Future>(what: &str, future: F) -> F::Output {
    let waited = tokio::time::timeout(GUARD, future).await;
    waited.unwrap_or_else(|_| panic!("{what}: it hangs"))
}

/// Remembers that it was woken.
#[derive(Default)]
struct Woken {
    woken: AtomicBool,
    notify: Notify,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.notify.notify_one();
    }
}

impl Woken {
    /// Waits for a wake-up. Given up before its end, it has taken none.
    async fn wait(&self) {
        while !self.woken.swap(false, Ordering::SeqCst) {
            self.notify.notified().await;
        }
    }
}

/// After so long without a wake-up, something has to happen that would not by itself. Too short, it
/// happens early; too long, it only takes longer.
const STUCK: Duration = Duration::from_millis(10);

/// Polls a future as a runtime would, and lets it go at the cut. `goes_on` is told of each wait, and
/// of each that seems not to end by itself: then what is waited for should come.
pub(crate) async fn drive(mut future: Boxed<()>, cut: Cut, mut goes_on: impl FnMut(bool)) -> End {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    // A panic of the code's own comes by itself.
    let last = (cut.way != Way::Panicked).then_some(cut.at);
    let mut polls = 0;
    loop {
        if last == Some(polls) && cut.way != Way::Woken {
            let_go(future, cut.way);
            return End::Dropped(polls);
        }
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut cx)));
        polls += 1;
        match polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(())) => return End::Ended,
            Err(panic) if panic.is::<ByDesign>() && cut.way == Way::Panicked => {
                drop(future);
                return End::Dropped(polls);
            }
            Err(panic) => resume_unwind(panic),
        }
        if last == Some(polls) && cut.way != Way::Woken {
            continue;
        }
        goes_on(false);
        if tokio::time::timeout(STUCK, woken.wait()).await.is_err() {
            goes_on(true);
            guard(&format!("poll {polls}"), woken.wait()).await;
        }
        // Whoever else is ready has a turn.
        tokio::task::yield_now().await;
        if last == Some(polls) {
            drop(future);
            return End::Dropped(polls);
        }
    }
}

/// What the code panics with: it tells nobody.
pub(crate) struct ByDesign;

fn let_go(future: Boxed<()>, way: Way) {
    if way != Way::Unwound {
        return drop(future);
    }
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        let _dropped = future;
        resume_unwind(Box::new(ByDesign));
    }));
    assert!(unwound.is_err());
}

/// What was reached.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) drops: usize,
    /// After how many polls, over all ways but a panic of the code.
    pub(crate) polls: BTreeSet<usize>,
    /// At how many awaits the code has panicked.
    pub(crate) panics: usize,
}

/// Runs `attempt` with the cut after each number of polls, until the future ends before it; and then
/// some more, for on a server the number of polls is not always the same.
pub(crate) async fn cancel_everywhere(mut attempt: impl AsyncFnMut(Cut) -> End) -> Tally {
    const MORE: usize = 2;
    const MOST: usize = 500;

    let mut tally = Tally::default();
    for way in WAYS {
        // What was never polled has never been woken, and the code's first await is 1.
        let mut at = usize::from(matches!(way, Way::Woken | Way::Panicked));
        let mut ended = 0;
        while ended <= MORE {
            match attempt(Cut { way, at }).await {
                End::Dropped(polls) => {
                    tally.drops += 1;
                    if way == Way::Panicked {
                        tally.panics += 1;
                    } else {
                        tally.polls.insert(polls);
                    }
                    at += 1;
                    ended = 0;
                }
                End::Ended => ended += 1,
            }
            assert!(at < MOST, "it never ends");
        }
    }
    tally
}
