//! What bodies stand in: a cache, a count of those that have begun, a gate that each must pass to
//! end; threads to call from, and how to see that they wait.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use afresh::Cache;
use afresh_test_support::{PATIENCE, eventually};

/// A gate that lets as many through as it has been told.
#[derive(Default)]
pub(crate) struct Gate {
    permits: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    pub(crate) fn open(&self, permits: usize) {
        *self.permits.lock().expect("no panic in here") += permits;
        self.changed.notify_all();
    }

    pub(crate) fn pass(&self) {
        let permits = self.permits.lock().expect("no panic in here");
        let closed = |permits: &mut usize| *permits == 0;
        let waited = self.changed.wait_timeout_while(permits, PATIENCE, closed);
        let (mut permits, waited) = waited.expect("no panic in here");
        // A body that panics here would look like one that is meant to.
        assert!(!waited.timed_out(), "nobody opens the gate");
        *permits -= 1;
    }
}

pub(crate) struct World {
    pub(crate) cache: Cache,
    pub(crate) runs: AtomicUsize,
    pub(crate) gate: Gate,
}

impl World {
    pub(crate) fn on(cache: Cache) -> Arc<Self> {
        Arc::new(Self {
            cache,
            runs: AtomicUsize::new(0),
            gate: Gate::default(),
        })
    }

    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    /// A body that ends at once: its number.
    pub(crate) fn run(&self) -> usize {
        self.runs.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// A body that waits to be let through.
    pub(crate) fn body(&self) -> usize {
        let run = self.run();
        self.gate.pass();
        run
    }

    #[track_caller]
    pub(crate) fn await_runs(&self, runs: usize) {
        eventually("the bodies", || self.runs() >= runs);
        assert_eq!(self.runs(), runs);
    }
}

/// A call on a thread of its own.
pub(crate) struct Caller<T> {
    id: String,
    came: Receiver<thread::Result<T>>,
}

impl<T: Send + 'static> Caller<T> {
    pub(crate) fn start(call: impl FnOnce() -> T + Send + 'static) -> Self {
        let (say_id, id) = mpsc::channel();
        let (say, came) = mpsc::channel();
        thread::spawn(move || {
            let me = fs::read_link("/proc/thread-self").expect("a thread of this process");
            let me = me.file_name().expect("its number").to_string_lossy();
            say_id.send(me.into_owned()).expect("heard");
            // A test that has failed already does not listen.
            let _ = say.send(catch_unwind(AssertUnwindSafe(call)));
        });
        Self {
            id: id.recv().expect("it runs"),
            came,
        }
    }

    /// What came of the call; fails the test where it hangs.
    #[track_caller]
    pub(crate) fn outcome(self) -> thread::Result<T> {
        self.came.recv_timeout(PATIENCE).expect("it hangs")
    }

    #[track_caller]
    pub(crate) fn value(self) -> T {
        self.outcome().expect("no panic")
    }

    /// Whether the thread sleeps in the kernel. With everyone who could hold a lock asleep or at the
    /// gate, it waits for a flight.
    fn sleeps(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/self/task/{}/stat", self.id));
        let stat = stat.expect("a thread that runs");
        let (_, after_the_name) = stat.rsplit_once(')').expect("a name in parentheses");
        after_the_name.trim_start().starts_with('S')
    }
}

/// Waits until all of them wait at once.
#[track_caller]
pub(crate) fn await_waiting<T: Send + 'static>(callers: &[Caller<T>]) {
    let all = || callers.iter().all(Caller::sleeps);
    // One look is no moment: whoever was seen first may have gone on meanwhile.
    eventually("all wait", || all() && all() && all());
}

/// Drives a future on this thread, with no runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park_timeout(PATIENCE),
        }
    }
}
