//! The links of a call that are a function's own: the way in, the local hit, and the future or the
//! call that an expansion ends with. Instantiated for each function, and so kept small: what a miss
//! does is in `steps`.

use std::any::{Any, TypeId};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::plan::{Finished, Output, Start};
use super::steps::{Steppable, Steps, hand_out};
use super::{Call, Site};
use crate::cache::{Cache, Inner};
use crate::inspect;
use crate::key::KeyWriter;
use crate::local::{Age, Home, KeyRef, LocalEntry, Value};
use crate::observe::StaleReason;
use crate::output::Kit;
use crate::scope::{self, Flag};
use crate::spec::Spec;

/// A call that has been looked up in the local tier: the first link of the chain in an expansion.
/// Small, because a hit moves it twice.
#[must_use = "a call does nothing until it is run"]
pub struct Entered<R, T>(Found<R, T>);

enum Found<R, T> {
    /// Until it is handed out. Not the output itself, whose error need not be `Send`.
    Hit(Option<T>, fn(T) -> R),
    Miss(Box<Steps<R, T>>),
}

impl<R, T> std::fmt::Debug for Entered<R, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}

/// Writes the key and looks into the local tier. What this borrows it gives back: the arguments
/// are free to be moved into the body afterwards.
#[inline]
pub fn enter<R, T: Any, K: FnOnce(&mut KeyWriter)>(
    kit: Kit<R, T>,
    spec: &Spec,
    site: Site,
    cache: Option<&Cache>,
    key: K,
) -> Entered<R, T> {
    // It stays where it is: words that were written one by one and are then copied all at once keep
    // the copy waiting.
    let mut writer = KeyWriter::new();
    key(&mut writer);
    let home = match spec.namespace {
        None => Home::function(site.id),
        Some(name) => Home::namespace(name, spec.version, spec.key_form, TypeId::of::<T>()),
    };
    if scope::is_plain() {
        let inner = match cache {
            Some(cache) => &cache.0,
            None => &Cache::default_ref().0,
        };
        if let Some(hit) = local_hit(inner, &kit, spec, &home, &writer) {
            return Entered(Found::Hit(Some(hit), kit.wrap));
        }
    }
    enter_slowly(kit, spec, site, cache, &home, &writer)
}

/// A call inside a scope, or one that the local tier did not answer.
#[cold]
#[inline(never)]
fn enter_slowly<R, T: Any>(
    kit: Kit<R, T>,
    spec: &Spec,
    site: Site,
    cache: Option<&Cache>,
    home: &Home,
    key: &KeyWriter,
) -> Entered<R, T> {
    let is_plain = scope::is_plain();
    let output = typeid::of::<R>();
    let call = Call::new(*spec, site, cache, *home, key, kit.codec, output);
    let mut call = Box::new(call);
    // Inside a scope nothing has been looked up yet, unless the scope says not to look.
    if !is_plain
        && call.may_look()
        && let Some(current) = call.local_hit()
        && let Some(hit) = hand_out(&kit, &current.value)
    {
        call.hand_over(&current.tags, None);
        return Entered(Found::Hit(Some(hit), kit.wrap));
    }
    Entered(Found::Miss(Box::new(Steps::new(kit, call))))
}

/// The path of nearly all calls.
#[inline]
fn local_hit<R, T: Any>(
    inner: &Inner,
    kit: &Kit<R, T>,
    spec: &Spec,
    home: &Home,
    key: &KeyWriter,
) -> Option<T> {
    enum Taken<T> {
        Cloned(T),
        Shared(Value),
    }

    let local = inner.local.as_ref()?;
    let now = inner.clock.now();
    if !inner.view.is_trusted(now, || inner.clock.wall()) {
        return None;
    }
    let key = KeyRef {
        hash: key.hash(local.seed() ^ home.seed()),
        home,
        words: key.words(),
    };
    let mut tags = None;
    let mut stale = None;
    let taken = local.read(&key, |entry: &LocalEntry| {
        match entry.age(now) {
            Age::Fresh => {}
            Age::Settled { failing } if spec.policy => stale = Some(StaleReason::settled(failing)),
            Age::Due | Age::Settled { .. } | Age::Stale => return None,
        }
        if !entry.is_current(&inner.view) {
            return None;
        }
        if scope::is_open(Flag::INHERITS) {
            tags = Some(Arc::clone(&entry.tags));
        }
        if kit.stays {
            entry
                .value
                .downcast_ref::<T>()
                .map(|value| Taken::Cloned((kit.clone)(value)))
        } else {
            Some(Taken::Shared(Arc::clone(&entry.value)))
        }
    })?;
    let hit = match taken {
        Taken::Cloned(value) => value,
        // The user's own `Clone` runs with no guard held.
        Taken::Shared(value) => (kit.clone)(value.downcast_ref::<T>()?),
    };
    if let Some(tags) = tags {
        scope::hand_over(inner.address(), spec.place(), &tags);
    }
    match stale {
        None => inner.reporter.hits.add(),
        Some(why) => inner.reporter.stale(spec.name, why),
    }
    Some(hit)
}

impl<R, T: Any> Entered<R, T> {
    /// Runs the call of an async function. `plan` is evaluated when a compute or a `put` is about
    /// to start.
    #[inline]
    pub fn run<F, B>(self, plan: F) -> Running<R, T, F, B>
    where
        F: FnOnce(&mut Start<R, T>) -> B,
        B: Future<Output: Output<R>>,
    {
        // Part by part, as above.
        match self.0 {
            Found::Hit(value, wrap) => Running {
                code: None,
                entered: Self(Found::Hit(value, wrap)),
            },
            Found::Miss(steps) => Running {
                code: Some(Box::pin(Code::Plan { plan: Some(plan) })),
                entered: Self(Found::Miss(steps)),
            },
        }
    }

    /// Runs the call of a sync function, as [`run`](Self::run). It blocks the thread where it has
    /// to wait for others or for the shared tier.
    #[inline]
    pub fn run_sync<F, B, O>(self, plan: F) -> R
    where
        F: FnOnce(&mut Start<R, T>) -> B,
        B: FnOnce() -> O,
        O: Output<R>,
    {
        match self.0 {
            Found::Hit(Some(value), wrap) => wrap(value),
            Found::Hit(None, _) => inspect::stop(),
            Found::Miss(steps) => miss_sync(steps, plan),
        }
    }
}

/// The rest of a sync call that the local tier did not answer.
#[expect(
    clippy::boxed_local,
    reason = "it stays in its box: a recursion has a frame of this for each level"
)]
#[inline(never)]
fn miss_sync<R, T, F, B, O>(mut steps: Box<Steps<R, T>>, plan: F) -> R
where
    T: Any,
    F: FnOnce(&mut Start<R, T>) -> B,
    B: FnOnce() -> O,
    O: Output<R>,
{
    let mut start = match steps.find_sync() {
        Ok(start) => start,
        Err(output) => return output,
    };
    let body = plan(&mut start);
    let computing = match steps.secure_sync(start) {
        Ok(computing) => computing,
        Err(output) => return output,
    };
    let output = body().finished();
    steps.finish_sync(computing, output)
}

/// The call of an async function under way: what its expansion awaits.
#[must_use = "futures do nothing unless polled"]
pub struct Running<R, T, F, B> {
    /// `None` where the local tier answered. It goes first: what the body holds is let go before
    /// another call computes in its place.
    code: Option<Pin<Box<Code<F, B>>>>,
    entered: Entered<R, T>,
}

impl<R, T, F, B> Unpin for Running<R, T, F, B> {}

impl<R, T, F, B> std::fmt::Debug for Running<R, T, F, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

impl<R, T, F, B> Future for Running<R, T, F, B>
where
    T: Any,
    F: FnOnce(&mut Start<R, T>) -> B,
    B: Future<Output: Output<R>>,
{
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let Self { code, entered } = self.get_mut();
        match code {
            None => entered.hit(),
            Some(code) => entered.miss(code.as_mut(), cx),
        }
    }
}

pin_project! {
    /// What of a function is its own: what it says of a compute, then its body.
    #[project = Projected]
    enum Code<F, B> {
        /// The compute has not begun.
        Plan { plan: Option<F> },
        /// It has.
        Body { #[pin] body: B },
        /// It has ended, and what the body held is let go.
        Over,
    }
}

impl<R, T, F, B> Steppable<R, T> for Code<F, B>
where
    F: FnOnce(&mut Start<R, T>) -> B,
    B: Future<Output: Output<R>>,
{
    fn plan(mut self: Pin<&mut Self>, start: &mut Start<R, T>) {
        if let Projected::Plan { plan } = self.as_mut().project()
            && let Some(plan) = plan.take()
        {
            let body = plan(start);
            self.set(Self::Body { body });
        }
    }

    fn body(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Finished<R>> {
        let Projected::Body { body } = self.project() else {
            return Poll::Pending;
        };
        match body.poll(cx) {
            Poll::Ready(output) => Poll::Ready(output.finished()),
            Poll::Pending => Poll::Pending,
        }
    }

    fn end(mut self: Pin<&mut Self>) {
        self.set(Self::Over);
    }
}

impl<R, T: Any> Entered<R, T> {
    /// Polled after it was ready, it does what any future may do then: it never ends.
    #[inline]
    fn hit(&mut self) -> Poll<R> {
        match &mut self.0 {
            Found::Hit(value, wrap) => match value.take() {
                Some(value) => Poll::Ready(wrap(value)),
                None => Poll::Pending,
            },
            Found::Miss(_) => Poll::Pending,
        }
    }

    #[inline(never)]
    fn miss(&mut self, code: Pin<&mut dyn Steppable<R, T>>, cx: &mut Context<'_>) -> Poll<R> {
        match &mut self.0 {
            Found::Hit(..) => Poll::Pending,
            Found::Miss(steps) => steps.run(code, cx),
        }
    }
}
