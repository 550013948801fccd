//! What is true of the code that a thread is running right now: flags that a call reads on its way
//! in, and the bodies of computes that are being run. Set while polling, never across it.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::inherit::Inherited;
use crate::spec::Place;
use crate::sync;
use crate::tag::TagHash;

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
    /// Inside a body that takes over the tags of cached calls.
    pub(crate) const INHERITS: Self = Self(16);
}

/// The body of a compute that is being run.
#[derive(Clone, Debug)]
struct Body {
    /// The flight that it is for.
    flight: Option<u64>,
    /// Where the tags of cached calls in it go.
    inherited: Option<Arc<Inherited>>,
}

sync::thread_local! {
    static FLAGS: Cell<u8> = const { Cell::new(0) };
    static BODIES: RefCell<Vec<Body>> = const { RefCell::new(Vec::new()) };
}

/// Reads or changes what bodies this thread is running. Nothing, in the destructors of the thread's
/// locals: what is called there is in no body that anyone would ask about.
fn with_bodies<T>(with: impl FnOnce(&mut Vec<Body>) -> T) -> Option<T> {
    let with = |bodies: &RefCell<Vec<Body>>| with(&mut bodies.borrow_mut());
    BODIES.try_with(with).ok()
}

/// Whether a call may take the short way to a local hit: no scope is open, except perhaps that of
/// a body that takes over tags.
#[inline]
pub(crate) fn is_plain() -> bool {
    FLAGS.with(Cell::get) & !Flag::INHERITS.0 == 0
}

/// Whether a scope of this kind is open.
#[inline]
pub(crate) fn is_open(flag: Flag) -> bool {
    FLAGS.with(Cell::get) & flag.0 != 0
}

/// Restores the flags that stood before, also when the polled code panics.
#[derive(Debug)]
pub(crate) struct Restore(u8);

impl Drop for Restore {
    fn drop(&mut self) {
        FLAGS.with(|flags| flags.set(self.0));
    }
}

/// Opens a scope until the guard is dropped.
pub(crate) fn open(flag: Flag) -> Restore {
    set(flag, true)
}

fn set(flag: Flag, open: bool) -> Restore {
    let before = FLAGS.with(Cell::get);
    let after = if open {
        before | flag.0
    } else {
        before & !flag.0
    };
    FLAGS.with(|flags| flags.set(after));
    Restore(before)
}

/// Says that bodies of computes are being run, until dropped.
#[derive(Debug)]
pub(crate) struct Inside {
    before: usize,
    _flag: Restore,
}

impl Inside {
    /// The body of a compute: in this flight, if it is in one, with its cached calls' tags going
    /// there, or nowhere.
    pub(crate) fn enter(flight: Option<u64>, inherited: Option<&Arc<Inherited>>) -> Self {
        let flag = set(Flag::INHERITS, inherited.is_some());
        let inherited = inherited.cloned();
        let before = with_bodies(|bodies| {
            bodies.push(Body { flight, inherited });
            bodies.len() - 1
        });
        Self {
            before: before.unwrap_or_default(),
            _flag: flag,
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        with_bodies(|bodies| bodies.truncate(self.before));
    }
}

/// The bodies that were being run somewhere, to be carried to another task or thread.
#[derive(Clone, Debug)]
pub(crate) struct Bodies(Vec<Body>);

impl Bodies {
    /// Those of this thread.
    pub(crate) fn current() -> Self {
        Self(with_bodies(|bodies| bodies.clone()).unwrap_or_default())
    }

    /// Those of work that belongs to nobody's.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Says that what runs on this thread belongs to them, until dropped.
    pub(crate) fn enter(&self) -> Inside {
        let inherits = self.0.last().is_some_and(|body| body.inherited.is_some());
        let flag = set(Flag::INHERITS, inherits);
        let before = with_bodies(|bodies| {
            let before = bodies.len();
            bodies.extend_from_slice(&self.0);
            before
        });
        Inside {
            before: before.unwrap_or_default(),
            _flag: flag,
        }
    }
}

/// The flights whose bodies this thread is running, outermost first.
pub(crate) fn aboard() -> Vec<u64> {
    let flights = |bodies: &mut Vec<Body>| bodies.iter().filter_map(|body| body.flight).collect();
    with_bodies(flights).unwrap_or_default()
}

/// Where the tags of a value of this cache go: to the innermost compute of the same cache whose
/// body this thread is running, unless one in between declines.
pub(crate) fn inherited(cache: usize) -> Option<Arc<Inherited>> {
    let find = |bodies: &mut Vec<Body>| {
        for body in bodies.iter().rev() {
            let inherited = body.inherited.as_ref()?;
            if inherited.is_for(cache) {
                return Some(Arc::clone(inherited));
            }
        }
        None
    };
    with_bodies(find).flatten()
}

/// Hands over the tags of a value that has just been judged current.
#[cold]
#[inline(never)]
pub(crate) fn hand_over(cache: usize, from: Place, tags: &[TagHash]) {
    if let Some(inherited) = inherited(cache) {
        inherited.take(from, tags);
    }
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
