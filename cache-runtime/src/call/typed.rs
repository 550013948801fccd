//! The links of a call that know the function's types: the way in, the local hit, and the order of
//! the steps on a miss, for async functions and for sync ones. Instantiated for each function, and
//! so kept to what needs the types: what a step does is behind a pointer.

use std::any::{Any, TypeId};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::plan::{Finished, Output, Start};
use super::{Call, Coming, Role, Site, Step, Work};
use crate::cache::{Cache, Inner};
use crate::error::{Error, ErrorKind};
use crate::inspect;
use crate::key::KeyWriter;
use crate::lease::Kept;
use crate::local::{Home, KeyRef, LocalEntry, Value};
use crate::output::Kit;
use crate::scope::{self, Flag, Inside};
use crate::spec::Spec;
use crate::timer;

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
    let mut writer = KeyWriter::new();
    key(&mut writer);
    look_up(kit, spec, site, cache, writer)
}

#[inline]
fn look_up<R, T: Any>(
    kit: Kit<R, T>,
    spec: &Spec,
    site: Site,
    cache: Option<&Cache>,
    key: KeyWriter,
) -> Entered<R, T> {
    let home = match spec.namespace {
        None => Home::function(site.id),
        Some(name) => Home::namespace(name, spec.version, spec.key_form, TypeId::of::<T>()),
    };
    if scope::is_plain() {
        let inner = match cache {
            Some(cache) => &cache.0,
            None => &Cache::default_ref().0,
        };
        if let Some(hit) = local_hit(inner, &kit, spec, &home, &key) {
            return Entered(Found::Hit(Some(hit), kit.wrap));
        }
    }
    enter_slowly(kit, spec, site, cache, &home, key)
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
    key: KeyWriter,
) -> Entered<R, T> {
    let is_plain = scope::is_plain();
    let output = typeid::of::<R>();
    let call = Call::new(*spec, site, cache, *home, key, kit.codec, output);
    let call = Box::new(call);
    // Inside a scope nothing has been looked up yet, unless the scope says not to look.
    if !is_plain
        && call.may_look()
        && let Some(current) = call.local_current()
        && let Some(hit) = hand_out(&kit, &current.value)
    {
        call.hand_over(&current.tags, None);
        call.is_local_hit();
        return Entered(Found::Hit(Some(hit), kit.wrap));
    }
    let stage = Stage::Entered(call);
    Entered(Found::Miss(Box::new(Steps { kit, stage })))
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
    let taken = local.read(&key, |entry: &LocalEntry| {
        if entry.expires <= now || !entry.is_current(&inner.view) {
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
    inner.reporter.hits.add();
    Some(hit)
}

fn hand_out<R, T: Any>(kit: &Kit<R, T>, value: &Value) -> Option<T> {
    value.downcast_ref::<T>().map(kit.clone)
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
        let code = match self.0 {
            Found::Hit(..) => None,
            Found::Miss(_) => Some(Box::pin(Code::Plan { plan: Some(plan) })),
        };
        Running {
            code,
            entered: self,
        }
    }

    /// Runs the call of a sync function, as [`run`](Self::run). It blocks the thread where it has
    /// to wait for others or for the shared tier.
    pub fn run_sync<F, B, O>(self, plan: F) -> R
    where
        F: FnOnce(&mut Start<R, T>) -> B,
        B: FnOnce() -> O,
        O: Output<R>,
    {
        let mut steps = match self.0 {
            Found::Hit(Some(value), wrap) => return wrap(value),
            Found::Hit(None, _) => inspect::stop(),
            Found::Miss(steps) => steps,
        };
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

/// [`Code`], for the steps between which it runs.
trait Steppable<R, T> {
    /// Makes the plan, which is done once.
    fn plan(self: Pin<&mut Self>, start: &mut Start<R, T>);

    /// Polls the body.
    fn body(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Finished<R>>;

    /// Lets go what the body holds.
    fn end(self: Pin<&mut Self>);
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

/// A call that the local tier did not answer, without what differs between functions of one type.
struct Steps<R, T> {
    kit: Kit<R, T>,
    stage: Stage<T>,
}

impl<R, T> std::fmt::Debug for Steps<R, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Steps").finish_non_exhaustive()
    }
}

/// Where a miss stands.
enum Stage<T> {
    /// It has not been polled.
    Entered(Box<Call>),
    /// It looks for the value.
    Finding(Work<(Box<Call>, Step)>),
    /// It sees to the right to compute.
    Securing(Work<(Box<Call>, Step)>),
    /// The body is polled.
    Computing(Box<Call>),
    /// What was computed is being stored, and is returned then.
    Committing(Work<()>, T),
    /// What was given is being stored. The caller, who is inspected, gets no answer.
    Putting(Work<()>),
    /// There is nothing more to do, and nothing to return.
    Over,
}

/// A call whose body runs just now.
struct Computing {
    /// First, as what is dropped first.
    _inside: Inside,
    call: Box<Call>,
}

impl Computing {
    fn of(mut call: Box<Call>) -> Self {
        Self {
            _inside: call.inside(),
            call,
        }
    }

    fn ended(self) -> Box<Call> {
        self.call
    }
}

/// What the next stage is; or what is returned.
type Next<R, T> = Result<Stage<T>, R>;

impl<R, T: Any> Steps<R, T> {
    fn run(&mut self, mut code: Pin<&mut dyn Steppable<R, T>>, cx: &mut Context<'_>) -> Poll<R> {
        loop {
            // Where user code panics, the call is dropped at once, and with it what others wait for.
            let next = match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Entered(call) => match call.finding() {
                    Coming::Now(call, step) => self.found(call, step, code.as_mut()),
                    Coming::Later(work) => Ok(Stage::Finding(work)),
                },
                Stage::Finding(mut work) => {
                    let Poll::Ready((call, step)) = work.as_mut().poll(cx) else {
                        self.stage = Stage::Finding(work);
                        return Poll::Pending;
                    };
                    self.found(call, step, code.as_mut())
                }
                Stage::Securing(mut work) => {
                    let Poll::Ready((call, step)) = work.as_mut().poll(cx) else {
                        self.stage = Stage::Securing(work);
                        return Poll::Pending;
                    };
                    self.after_securing(call, step)
                }
                Stage::Computing(call) => {
                    let computing = Computing::of(call);
                    let polled = code.as_mut().body(cx);
                    if polled.is_ready() {
                        // Before others are waited for.
                        code.as_mut().end();
                    }
                    let mut call = computing.ended();
                    let Poll::Ready(finished) = polled else {
                        call.keep_lease(cx);
                        self.stage = Stage::Computing(call);
                        return Poll::Pending;
                    };
                    self.after_computing(call, finished)
                }
                Stage::Committing(mut work, value) => {
                    if work.as_mut().poll(cx).is_ready() {
                        return Poll::Ready((self.kit.wrap)(value));
                    }
                    self.stage = Stage::Committing(work, value);
                    return Poll::Pending;
                }
                Stage::Putting(mut work) => {
                    if work.as_mut().poll(cx).is_pending() {
                        self.stage = Stage::Putting(work);
                    }
                    return Poll::Pending;
                }
                Stage::Over => return Poll::Pending,
            };
            self.stage = match next {
                Ok(stage) => stage,
                Err(output) => return Poll::Ready(output),
            };
        }
    }

    fn found(
        &self,
        call: Box<Call>,
        step: Step,
        code: Pin<&mut dyn Steppable<R, T>>,
    ) -> Next<R, T> {
        let mut start = match self.after_finding(call, step) {
            Ok(start) => start,
            Err(next) => return next,
        };
        code.plan(&mut start);
        self.after_planning(start)
    }

    /// The first steps of a sync call, up to its plan.
    fn find_sync(&mut self) -> Result<Start<R, T>, R> {
        let Stage::Entered(call) = std::mem::replace(&mut self.stage, Stage::Over) else {
            inspect::stop();
        };
        let (call, step) = match call.finding() {
            Coming::Now(call, step) => (call, step),
            Coming::Later(work) => timer::block_on(work),
        };
        self.after_finding(call, step)
            .map_err(|next| self.end_sync(next))
    }

    /// From its plan to its body.
    fn secure_sync(&self, start: Start<R, T>) -> Result<ComputingSync, R> {
        let mut next = self.after_planning(start);
        if let Ok(Stage::Securing(work)) = next {
            let (call, step) = timer::block_on(work);
            next = self.after_securing(call, step);
        }
        match next {
            Ok(Stage::Computing(mut call)) => {
                let kept = call.lease_kept();
                Ok((kept, Computing::of(call)))
            }
            next => Err(self.end_sync(next)),
        }
    }

    /// From its body to its end.
    fn finish_sync(&self, (kept, computing): ComputingSync, finished: Finished<R>) -> R {
        let call = computing.ended();
        drop(kept);
        self.end_sync(self.after_computing(call, finished))
    }

    /// What is left of a sync call that does not go on to its plan or its body.
    fn end_sync(&self, next: Next<R, T>) -> R {
        match next {
            Err(output) => output,
            Ok(Stage::Committing(commit, value)) => {
                timer::block_on(commit);
                (self.kit.wrap)(value)
            }
            Ok(Stage::Putting(put)) => {
                timer::block_on(put);
                inspect::stop()
            }
            Ok(_) => inspect::stop(),
        }
    }

    /// The call goes on to its plan, perhaps with an output that was given.
    fn after_finding(&self, mut call: Box<Call>, step: Step) -> Result<Start<R, T>, Next<R, T>> {
        let given = match self.take(&mut call, step) {
            Taken::Output(output) => return Err(Err(output)),
            Taken::Never => return Err(Ok(Stage::Over)),
            Taken::Compute => None,
            Taken::Put(output) => match refusal(&self.kit, &*output) {
                Some(refused) => return Err(Ok(Stage::Putting(call.putting(Err(refused))))),
                None => Some(output),
            },
        };
        Ok(Start::new(&self.kit, call, given))
    }

    /// The call goes on to the right to compute; or, where an output was given, to what becomes of
    /// it.
    fn after_planning(&self, start: Start<R, T>) -> Next<R, T> {
        let Start {
            mut call,
            ttl,
            tags,
            given,
            ..
        } = start;
        call.plan(ttl, &tags);
        if let Some((output, claim)) = given
            && let Some(output) = claim(output)
        {
            return self.after_computing(call, Finished::of(output));
        }
        if call.is_put() {
            return Ok(Stage::Computing(call));
        }
        match call.securing() {
            Coming::Now(call, step) => self.after_securing(call, step),
            Coming::Later(work) => Ok(Stage::Securing(work)),
        }
    }

    /// The call goes on to its body.
    fn after_securing(&self, mut call: Box<Call>, step: Step) -> Next<R, T> {
        match self.take(&mut call, step) {
            Taken::Output(output) => Err(output),
            Taken::Compute | Taken::Put(_) | Taken::Never => Ok(Stage::Computing(call)),
        }
    }

    /// The call goes on to storing what the body returned.
    fn after_computing(&self, mut call: Box<Call>, finished: Finished<R>) -> Next<R, T> {
        let kit = &self.kit;
        let Finished { output, keep, tags } = finished;
        if call.is_put() {
            let refused = |_| Error::new(ErrorKind::Refused, "an `Err` is never stored");
            call.learn(&tags);
            let value = (kit.split)(output).map(kit.pack).map_err(refused);
            return Ok(Stage::Putting(call.putting(value)));
        }
        match (kit.split)(output) {
            Ok(value) => {
                call.learn(&tags);
                call.take_over();
                call.hand_over_own();
                if call.wants_value(keep) {
                    let stored = (kit.pack)((kit.clone)(&value));
                    if let Some(work) = call.committing(stored, keep) {
                        return Ok(Stage::Committing(work, value));
                    }
                }
                Err((kit.wrap)(value))
            }
            Err(failure) => {
                let is_whole = typeid::of::<R>() == TypeId::of::<T>();
                call.take_over();
                call.hand_over_own();
                call.fail(&|| (kit.share)(&failure), is_whole);
                Err(failure)
            }
        }
    }

    fn take(&self, call: &mut Call, step: Step) -> Taken<R> {
        let kit = &self.kit;
        match step {
            Step::Value(current) => {
                if let Some(value) = hand_out(kit, &current.value) {
                    call.hand_over(&current.tags, current.valid);
                    return Taken::Output((kit.wrap)(value));
                }
            }
            Step::Failed(failure, tags, valid) => {
                if let Some(output) = (kit.restore)(&failure) {
                    call.hand_over(&tags, Some(valid));
                    call.is_coalesced();
                    return Taken::Output(output);
                }
            }
            Step::Missed => return Taken::Never,
            Step::Put(output) => return Taken::Put(output),
            Step::Compute => return Taken::Compute,
        }
        // What was found is of no use here: everyone computes, all at once.
        call.role = Role::Alone;
        Taken::Compute
    }
}

/// A sync call whose body runs just now, after what keeps its lease meanwhile.
type ComputingSync = (Option<Kept>, Computing);

/// A [`Step`] as this function's types see it.
enum Taken<R> {
    Output(R),
    Never,
    Put(Box<dyn Any + Send>),
    Compute,
}

/// Why an output that was given is none of this function's, where it is not.
fn refusal<R, T>(kit: &Kit<R, T>, output: &(dyn Any + Send)) -> Option<Error> {
    let why = if kit.claim.is_none() {
        "the output's type spells a lifetime, so `put` cannot take it"
    } else if output.type_id() != typeid::of::<R>() {
        "the output is of another type"
    } else {
        return None;
    };
    Some(Error::new(ErrorKind::Refused, why))
}
