//! What is true of the code that a thread is polling right now: flags that a call reads on its
//! way in, and the flights whose bodies are being polled. Set while polling, never across it.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

/// One bit per kind of scope. All clear, which is the rule, costs a call one load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flag(u8);

impl Flag {
    /// Inside [`bypass`](crate::bypass).
    pub(crate) const BYPASS: Self = Self(1);
    /// An operation of an [`entry`](crate::entry) waits for a cached call to take it.
    pub(crate) const INSPECT: Self = Self(2);
    /// An [`outcome`](crate::outcome) waits for a cached call to report to it.
    pub(crate) const OUTCOME: Self = Self(4);
    /// Inside [`with_cache`](crate::testing::with_cache).
    pub(crate) const CACHE: Self = Self(8);
}

thread_local! {
    static FLAGS: Cell<u8> = const { Cell::new(0) };
    static FLIGHTS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Whether no scope at all is open on this thread.
#[inline]
pub(crate) fn is_plain() -> bool {
    FLAGS.get() == 0
}

/// Whether a scope of this kind is open.
pub(crate) fn is_open(flag: Flag) -> bool {
    FLAGS.get() & flag.0 != 0
}

/// Restores the flags that stood before, also when the polled code panics.
#[derive(Debug)]
pub(crate) struct Restore(u8);

impl Drop for Restore {
    fn drop(&mut self) {
        FLAGS.set(self.0);
    }
}

/// Opens a scope until the guard is dropped.
pub(crate) fn open(flag: Flag) -> Restore {
    let before = FLAGS.get();
    FLAGS.set(before | flag.0);
    Restore(before)
}

/// Says that the body of a flight is being polled, until dropped.
#[derive(Debug)]
pub(crate) struct Aboard;

impl Aboard {
    pub(crate) fn enter(flight: u64) -> Self {
        FLIGHTS.with_borrow_mut(|flights| flights.push(flight));
        Self
    }
}

impl Drop for Aboard {
    fn drop(&mut self) {
        FLIGHTS.with_borrow_mut(Vec::pop);
    }
}

/// The flights whose bodies this thread is polling, outermost first.
pub(crate) fn aboard() -> Vec<u64> {
    FLIGHTS.with_borrow(Vec::clone)
}

pin_project! {
    /// A future that is polled inside scopes that `enter` opens.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub(crate) struct Scoped<F, E> {
        #[pin]
        future: F,
        enter: E,
    }
}

impl<F, E> Scoped<F, E> {
    pub(crate) fn new(future: F, enter: E) -> Self {
        Self { future, enter }
    }
}

impl<F: Future, E: FnMut() -> G, G> Future for Scoped<F, E> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _scope = (this.enter)();
        this.future.poll(cx)
    }
}
