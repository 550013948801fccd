//! The links of a call that know the function's types: the way in, the local hit, and the order of
//! the steps on a miss, for async functions and for sync ones. Instantiated for each function, and
//! so kept to what needs the types: what a step does is behind a pointer.

use std::any::{Any, TypeId};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::plan::{Finished, Given, Planned, Start};
use super::{Call, Role, Site, Step, Work};
use crate::cache::{Cache, Inner};
use crate::error::{Error, ErrorKind};
use crate::inspect;
use crate::key::KeyWriter;
use crate::local::{Home, KeyRef, LocalEntry, Value};
use crate::output::Kit;
use crate::scope::{self, Flag};
use crate::spec::Spec;
use crate::timer;

/// A call that has been looked up in the local tier: the first link of the chain in an expansion.
/// Small, because a hit moves it twice.
#[must_use = "a call does nothing until it is run"]
pub struct Entered<R, T>(Found<R, T>);

enum Found<R, T> {
    Hit(R),
    Miss(Box<Missed<R, T>>),
}

/// What a call goes on with where the local tier did not answer.
struct Missed<R, T> {
    kit: Kit<R, T>,
    call: Box<Call>,
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
            return Entered(Found::Hit(hit));
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
    let call = Box::new(Call::new(*spec, site, cache, *home, key, kit.codec));
    // Inside a scope nothing has been looked up yet, unless the scope says not to look.
    if !is_plain
        && call.may_look()
        && let Some(current) = call.local_current()
        && let Some(hit) = hand_out(&kit, &current.value)
    {
        call.hand_over(&current.tags);
        call.is_local_hit();
        return Entered(Found::Hit((kit.wrap)(hit)));
    }
    Entered(Found::Miss(Box::new(Missed { kit, call })))
}

/// The path of nearly all calls.
#[inline]
fn local_hit<R, T: Any>(
    inner: &Inner,
    kit: &Kit<R, T>,
    spec: &Spec,
    home: &Home,
    key: &KeyWriter,
) -> Option<R> {
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
    let taken = local.read(&key, |entry: &LocalEntry| {
        if entry.expires <= now || !entry.is_current(&inner.view) {
            return None;
        }
        if scope::is_open(Flag::INHERITS) {
            scope::hand_over(inner.address(), spec.place(), &entry.tags);
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
    inner.reporter.hits.add();
    Some((kit.wrap)(hit))
}

fn hand_out<R, T: Any>(kit: &Kit<R, T>, value: &Value) -> Option<T> {
    value.downcast_ref::<T>().map(kit.clone)
}

impl<R, T: Any> Entered<R, T> {
    /// Runs the call of an async function. `plan` is evaluated when a compute or a `put` is about
    /// to start.
    pub fn run<F, B>(self, plan: F) -> Running<R, Miss<R, T, F, B>>
    where
        F: FnOnce(Start<R, T>) -> Planned<R, B, B::Output>,
        B: Future,
    {
        match self.0 {
            Found::Hit(output) => Running::Hit(Some(output)),
            Found::Miss(missed) => Running::Miss(Box::pin(Miss {
                kit: missed.kit,
                plan: Some(plan),
                stage: Stage::Working(missed.call.finding()),
                finish: None,
                body: None,
            })),
        }
    }

    /// Runs the call of a sync function, as [`run`](Self::run). It blocks the thread where it has
    /// to wait for others or for the shared tier.
    pub fn run_sync<F, B, O>(self, plan: F) -> R
    where
        F: FnOnce(Start<R, T>) -> Planned<R, B, O>,
        B: FnOnce() -> O,
    {
        let Missed { kit, call } = match self.0 {
            Found::Hit(output) => return output,
            Found::Miss(missed) => *missed,
        };
        let (call, step) = timer::block_on(call.finding());
        let (mut call, given) = match after_finding(&kit, call, step) {
            Ok(found) => found,
            Err(next) => return finish_sync(next),
        };
        let planned = plan(Start::new(&kit, given));
        call.plan(planned.ttl, &planned.tags);
        let mut next = after_planning(&kit, call, planned.given);
        if let Next::Go(Stage::Working(work)) = next {
            let (call, step) = timer::block_on(work);
            next = after_securing(&kit, call, step);
        }
        if let Next::Go(Stage::Computing(mut call)) = next {
            let inside = call.inside();
            let kept = call.lease_kept();
            let output = (planned.body)();
            drop((inside, kept));
            next = after_computing(&kit, call, (planned.finish)(output));
        }
        finish_sync(next)
    }
}

/// What is left of a sync call when its body has run, or need not run.
fn finish_sync<R>(next: Next<R>) -> R {
    match next {
        Next::Return(output) => output,
        Next::Go(Stage::Committing(commit, output)) => {
            timer::block_on(commit);
            output
        }
        Next::Go(Stage::Putting(put)) => {
            timer::block_on(put);
            inspect::stop()
        }
        Next::Go(Stage::Working(_) | Stage::Computing(_) | Stage::Over) => inspect::stop(),
    }
}

/// The call of an async function under way: what its expansion awaits.
#[must_use = "futures do nothing unless polled"]
pub enum Running<R, M> {
    /// The local tier answered.
    Hit(Option<R>),
    /// It did not.
    Miss(Pin<Box<M>>),
}

impl<R, M> Unpin for Running<R, M> {}

impl<R, M> std::fmt::Debug for Running<R, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Hit(_) => "Hit(..)",
            Self::Miss(_) => "Miss(..)",
        })
    }
}

impl<R, M: Future<Output = R>> Future for Running<R, M> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        match self.get_mut() {
            // Polled after it was ready, it does what any future may do then: it never ends.
            Self::Hit(output) => output.take().map_or(Poll::Pending, Poll::Ready),
            Self::Miss(miss) => miss.as_mut().poll(cx),
        }
    }
}

pin_project! {
    /// A call that the local tier did not answer.
    pub struct Miss<R, T, F, B>
    where
        B: Future,
    {
        kit: Kit<R, T>,
        plan: Option<F>,
        stage: Stage<R>,
        finish: Option<fn(B::Output) -> Finished<R>>,
        #[pin]
        body: Option<B>,
    }
}

/// Where a miss stands.
enum Stage<R> {
    /// It looks for the value; or, once the plan has been made, sees to the right to compute.
    Working(Work<(Box<Call>, Step)>),
    /// The body is polled.
    Computing(Box<Call>),
    /// What was computed is being stored; this is returned.
    Committing(Work<()>, R),
    /// What was given is being stored. The caller, who is inspected, gets no answer.
    Putting(Work<()>),
    /// There is nothing more to do, and nothing to return.
    Over,
}

impl<R, T, F, B> Future for Miss<R, T, F, B>
where
    T: Any,
    F: FnOnce(Start<R, T>) -> Planned<R, B, B::Output>,
    B: Future,
{
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let mut this = self.project();
        loop {
            // Where user code panics, the call is dropped at once, and with it what others wait for.
            *this.stage = match std::mem::replace(this.stage, Stage::Over) {
                Stage::Working(mut work) => {
                    let Poll::Ready((call, step)) = work.as_mut().poll(cx) else {
                        *this.stage = Stage::Working(work);
                        return Poll::Pending;
                    };
                    let next = match this.plan.take() {
                        None => after_securing(this.kit, call, step),
                        Some(plan) => match after_finding(this.kit, call, step) {
                            Ok((mut call, given)) => {
                                let planned = plan(Start::new(this.kit, given));
                                *this.finish = Some(planned.finish);
                                this.body.set(Some(planned.body));
                                call.plan(planned.ttl, &planned.tags);
                                after_planning(this.kit, call, planned.given)
                            }
                            Err(next) => next,
                        },
                    };
                    match next {
                        Next::Return(output) => return Poll::Ready(output),
                        Next::Go(stage) => stage,
                    }
                }
                Stage::Computing(mut call) => {
                    let body = this.body.as_mut().as_pin_mut();
                    let (Some(body), Some(finish)) = (body, *this.finish) else {
                        return Poll::Pending;
                    };
                    let inside = call.inside();
                    let polled = body.poll(cx);
                    drop(inside);
                    let Poll::Ready(output) = polled else {
                        call.keep_lease(cx);
                        *this.stage = Stage::Computing(call);
                        return Poll::Pending;
                    };
                    // What the body holds is let go before others are waited for.
                    this.body.set(None);
                    match after_computing(this.kit, call, finish(output)) {
                        Next::Return(output) => return Poll::Ready(output),
                        Next::Go(stage) => stage,
                    }
                }
                Stage::Committing(mut work, output) => {
                    if work.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(output);
                    }
                    *this.stage = Stage::Committing(work, output);
                    return Poll::Pending;
                }
                Stage::Putting(mut work) => {
                    if work.as_mut().poll(cx).is_pending() {
                        *this.stage = Stage::Putting(work);
                    }
                    return Poll::Pending;
                }
                Stage::Over => return Poll::Pending,
            }
        }
    }
}

/// What follows a step of a call, for the function's types.
enum Next<R> {
    Return(R),
    Go(Stage<R>),
}

type GivenOutput = Box<dyn Any + Send>;

/// The call goes on to its plan, perhaps with an output that was given.
fn after_finding<R, T: Any>(
    kit: &Kit<R, T>,
    mut call: Box<Call>,
    step: Step,
) -> Result<(Box<Call>, Option<GivenOutput>), Next<R>> {
    match take(kit, &mut call, step) {
        Taken::Output(output) => Err(Next::Return(output)),
        Taken::Never => Err(Next::Go(Stage::Over)),
        Taken::Compute => Ok((call, None)),
        Taken::Put(output) => match refusal(kit, &*output) {
            Some(refused) => Err(Next::Go(Stage::Putting(call.putting(Err(refused))))),
            None => Ok((call, Some(output))),
        },
    }
}

/// The call goes on to the right to compute; or, where an output was given, to what becomes of it.
fn after_planning<R, T: Any>(kit: &Kit<R, T>, call: Box<Call>, given: Option<Given<R>>) -> Next<R> {
    if let Some((output, claim)) = given
        && let Some(output) = claim(output)
    {
        return after_computing(kit, call, Finished::of(output));
    }
    Next::Go(if call.is_put() {
        Stage::Computing(call)
    } else {
        Stage::Working(call.securing())
    })
}

/// The call goes on to its body.
fn after_securing<R, T: Any>(kit: &Kit<R, T>, mut call: Box<Call>, step: Step) -> Next<R> {
    match take(kit, &mut call, step) {
        Taken::Output(output) => Next::Return(output),
        Taken::Compute | Taken::Put(_) | Taken::Never => Next::Go(Stage::Computing(call)),
    }
}

/// The call goes on to storing what the body returned.
fn after_computing<R, T: Any>(
    kit: &Kit<R, T>,
    mut call: Box<Call>,
    finished: Finished<R>,
) -> Next<R> {
    let Finished { output, keep, tags } = finished;
    if call.is_put() {
        let refused = |_| Error::new(ErrorKind::Refused, "an `Err` is never stored");
        call.learn(&tags);
        let value = (kit.split)(output).map(kit.pack).map_err(refused);
        return Next::Go(Stage::Putting(call.putting(value)));
    }
    call.take_over();
    match (kit.split)(output) {
        Ok(value) => {
            call.learn(&tags);
            call.hand_over_own();
            if call.wants_value(keep) {
                let stored = (kit.pack)((kit.clone)(&value));
                return Next::Go(Stage::Committing(
                    call.committing(stored, keep),
                    (kit.wrap)(value),
                ));
            }
            Next::Return((kit.wrap)(value))
        }
        Err(failure) => {
            let is_whole = typeid::of::<R>() == TypeId::of::<T>();
            call.hand_over_own();
            call.fail(|| (kit.share)(&failure), is_whole);
            Next::Return(failure)
        }
    }
}

/// A [`Step`] as this function's types see it.
enum Taken<R> {
    Output(R),
    Never,
    Put(GivenOutput),
    Compute,
}

fn take<R, T: Any>(kit: &Kit<R, T>, call: &mut Call, step: Step) -> Taken<R> {
    match step {
        Step::Value(current) => {
            if let Some(value) = hand_out(kit, &current.value) {
                call.hand_over(&current.tags);
                return Taken::Output((kit.wrap)(value));
            }
        }
        Step::Failed(failure, tags) => {
            if let Some(output) = (kit.restore)(&failure) {
                call.hand_over(&tags);
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
