//! The order of the steps of a miss, between which a function's own code runs: its plan and its body.
//! It knows the function's types and not its code, so that there is one copy for each type.

use std::any::{Any, TypeId};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::behind::{Nothing, Owning};
use super::fallback::{Fallback, Late};
use super::grace::Verdict;
use super::plan::{Finished, Start};
use super::ruling::Ruling;
use super::{Call, Coming, Role, Step, Work};
use crate::background::Permit;
use crate::error::{Error, ErrorKind};
use crate::inspect;
use crate::lease::Kept;
use crate::local::Value;
use crate::observe::StaleReason;
use crate::output::Kit;
use crate::scope::Inside;
use crate::timer;

/// What of a function is its own, for the steps between which it runs.
pub(super) trait Steppable<R, T> {
    /// Makes the plan, which is done once.
    fn plan(self: Pin<&mut Self>, start: &mut Start<R, T>);

    /// Polls the body.
    fn body(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Finished<R>>;

    /// Lets go what the body holds.
    fn end(self: Pin<&mut Self>);
}

pub(super) fn hand_out<R, T: Any>(kit: &Kit<R, T>, value: &Value) -> Option<T> {
    value.downcast_ref::<T>().map(kit.clone)
}

/// A call that the local tier did not answer, without what differs between functions of one type.
pub(super) struct Steps<R, T> {
    kit: Kit<R, T>,
    /// What a policy adds to it, once it is known. Before the stage: what the body holds goes first.
    guided: Option<Box<Guided<R, T>>>,
    stage: Stage<T>,
}

/// What a policy adds to a miss.
struct Guided<R, T> {
    /// What the call gets if the value does not come, or not in time.
    fallback: Option<Box<Fallback>>,
    /// What it returns if there is nothing to fall back on.
    timed_out: Option<fn(Error) -> R>,
    /// The body, where it is not the caller's.
    owning: Option<Owning<R, T>>,
}

impl<R, T> Guided<R, T> {
    /// Of what has no caller to wait for it, or one that waits for as long as it takes.
    fn of(owning: Owning<R, T>) -> Self {
        Self {
            fallback: None,
            timed_out: None,
            owning: Some(owning),
        }
    }
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
    /// It looks for the value elsewhere, now that it is known which will do.
    Asking(Work<(Box<Call>, Step)>),
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
pub(super) struct Computing {
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
    pub(super) fn new(kit: Kit<R, T>, call: Box<Call>) -> Self {
        Self {
            kit,
            stage: Stage::Entered(call),
            guided: None,
        }
    }

    pub(super) fn run(
        &mut self,
        mut code: Pin<&mut dyn Steppable<R, T>>,
        cx: &mut Context<'_>,
    ) -> Poll<R> {
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
                Stage::Asking(mut work) => {
                    let Poll::Ready((call, step)) = work.as_mut().poll(cx) else {
                        self.stage = Stage::Asking(work);
                        return Poll::Pending;
                    };
                    self.after_asking(call, step)
                }
                Stage::Securing(mut work) => {
                    let Poll::Ready((call, step)) = work.as_mut().poll(cx) else {
                        self.stage = Stage::Securing(work);
                        return self.wait(code, cx);
                    };
                    self.after_securing(call, step)
                }
                Stage::Computing(call) => {
                    let computing = Computing::of(call);
                    let polled = self.poll_body(code.as_mut(), cx);
                    let mut call = computing.ended();
                    let Poll::Ready(finished) = polled else {
                        call.keep_lease(cx);
                        self.stage = Stage::Computing(call);
                        return self.wait(code, cx);
                    };
                    self.after_computing(call, finished)
                }
                Stage::Committing(mut work, value) => {
                    if work.as_mut().poll(cx).is_ready() {
                        return Poll::Ready((self.kit.wrap)(value));
                    }
                    if let Some(permit) = self.leaves_commit(cx) {
                        permit.start(work);
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

    /// Polls the body, and lets it go when it has returned, before others are waited for.
    fn poll_body(
        &mut self,
        mut code: Pin<&mut dyn Steppable<R, T>>,
        cx: &mut Context<'_>,
    ) -> Poll<Finished<R>> {
        let owning = self.guided.as_mut().map(|guided| &mut guided.owning);
        if let Some(owning @ Some(_)) = owning {
            let polled = owning
                .as_mut()
                .map_or(Poll::Pending, |owning| owning.body.as_mut().poll(cx));
            if polled.is_ready() {
                *owning = None;
            }
            return polled;
        }
        let polled = code.as_mut().body(cx);
        if polled.is_ready() {
            code.end();
        }
        polled
    }

    /// The call has to wait: unless it has done so for long enough.
    fn wait(&mut self, code: Pin<&mut dyn Steppable<R, T>>, cx: &mut Context<'_>) -> Poll<R> {
        let Some(guided) = &mut self.guided else {
            return Poll::Pending;
        };
        let Some(fallback) = &mut guided.fallback else {
            return Poll::Pending;
        };
        let Poll::Ready(late) = fallback.poll(cx) else {
            return Poll::Pending;
        };
        let ruling = Arc::clone(&fallback.ruling);
        let output = match late {
            Late::Value(current) => hand_out(&self.kit, &current.value).map(self.kit.wrap),
            Late::Error(error) => guided.timed_out.map(|timed_out| timed_out(error)),
        };
        let Some(output) = output else {
            return Poll::Pending;
        };
        self.leave(&ruling, code);
        Poll::Ready(output)
    }

    /// The call has its value and has waited long enough: the right to store it in the background.
    fn leaves_commit(&mut self, cx: &mut Context<'_>) -> Option<Permit> {
        let fallback = self.guided.as_mut()?.fallback.as_mut()?;
        if fallback.is_late(cx) {
            fallback.ruling.permit()
        } else {
            None
        }
    }

    /// The call has been answered: what it does goes on in the background where it may.
    fn leave(&mut self, ruling: &Arc<Ruling>, code: Pin<&mut dyn Steppable<R, T>>) {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        let owning = self.guided.take().and_then(|guided| guided.owning);
        if let Some(owning) = owning
            && ruling.may_go_on()
        {
            if let Some(permit) = ruling.permit() {
                ruling.goes_behind();
                ruling.is_seen_to(ruling.rules.grace());
                self.go_on(stage, owning, Arc::clone(ruling), permit);
                return;
            }
            ruling.skipped();
        }
        // What the body holds is let go before another call computes in its place.
        code.end();
        drop(stage);
    }

    /// Starts what is left of a call in the background.
    fn go_on(&self, stage: Stage<T>, owning: Owning<R, T>, ruling: Arc<Ruling>, permit: Permit) {
        let start = owning.start;
        let steps = Self {
            kit: self.kit,
            stage,
            guided: Some(Box::new(Guided::of(owning))),
        };
        start(steps, ruling, permit);
    }

    /// Goes on with a call that has no caller. Returns whether it is over.
    pub(super) fn run_behind(&mut self, cx: &mut Context<'_>) -> bool {
        let code = std::pin::pin!(Nothing);
        self.run(code, cx).is_ready() || matches!(self.stage, Stage::Over)
    }

    fn found(
        &mut self,
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
    pub(super) fn find_sync(&mut self) -> Result<Start<R, T>, R> {
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
    pub(super) fn secure_sync(&mut self, start: Start<R, T>) -> Result<ComputingSync, R> {
        let mut next = self.after_planning(start);
        if let Ok(Stage::Asking(work)) = next {
            let (call, step) = timer::block_on(work);
            next = self.after_asking(call, step);
        }
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
    pub(super) fn finish_sync(
        &mut self,
        (kept, computing): ComputingSync,
        finished: Finished<R>,
    ) -> R {
        let call = computing.ended();
        drop(kept);
        let next = self.after_computing(call, finished);
        self.end_sync(next)
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
    fn after_finding(
        &mut self,
        mut call: Box<Call>,
        step: Step,
    ) -> Result<Start<R, T>, Next<R, T>> {
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
    fn after_planning(&mut self, start: Start<R, T>) -> Next<R, T> {
        let Start {
            mut call,
            ttl,
            ttl_follows,
            tags,
            given,
            rules,
            timed_out,
            owning,
            ..
        } = start;
        call.plan(ttl, ttl_follows, &tags);
        let verdict = rules.map_or(Verdict::Compute, |rules| call.decide(rules));
        if let Some((output, claim)) = given
            && let Some(output) = claim(output)
        {
            return self.after_computing(call, Finished::of(output));
        }
        if call.is_put() {
            // Closure options are asked about it where the body is, also where that is owned.
            self.guided = owning.map(|owning| Box::new(Guided::of(owning)));
            return Ok(Stage::Computing(call));
        }
        let guided = Guided {
            fallback: None,
            timed_out,
            owning,
        };
        if matches!(verdict, Verdict::Compute) && call.unasked {
            self.guided = Some(Box::new(guided));
            return Ok(Stage::Asking(call.asking()));
        }
        self.decided(call, verdict, guided)
    }

    /// The call goes on with what it has found elsewhere.
    fn after_asking(&mut self, mut call: Box<Call>, step: Step) -> Next<R, T> {
        if let Taken::Output(output) = self.take(&mut call, step) {
            return Err(output);
        }
        let verdict = call.decide_again();
        match self.guided.take() {
            Some(guided) => self.decided(call, verdict, *guided),
            None => Ok(Stage::Over),
        }
    }

    /// The call goes on to what its policy says; or, with none, to the right to compute.
    fn decided(
        &mut self,
        mut call: Box<Call>,
        verdict: Verdict,
        guided: Guided<R, T>,
    ) -> Next<R, T> {
        let Guided {
            timed_out, owning, ..
        } = guided;
        if let Verdict::Serve(current) | Verdict::Refresh(current) = &verdict
            && let Some(value) = hand_out(&self.kit, &current.value)
        {
            call.is_served(current);
            if matches!(verdict, Verdict::Refresh(_))
                && let Some(owning) = owning
                && let Some((ruling, permit)) = call.claim()
            {
                self.go_on(Stage::Securing(call.refreshing()), owning, ruling, permit);
            }
            return Err((self.kit.wrap)(value));
        }
        let fallback = call.fallback();
        if fallback.is_some() || owning.is_some() {
            self.guided = Some(Box::new(Guided {
                fallback,
                timed_out,
                owning,
            }));
        }
        match call.securing() {
            Coming::Now(call, step) => self.after_securing(call, step),
            Coming::Later(work) => Ok(Stage::Securing(work)),
        }
    }

    /// The call goes on to its body.
    fn after_securing(&mut self, mut call: Box<Call>, step: Step) -> Next<R, T> {
        match self.take(&mut call, step) {
            Taken::Output(output) => Err(output),
            // In the background: another process sees to it.
            Taken::Never => Ok(Stage::Over),
            Taken::Compute | Taken::Put(_) => Ok(Stage::Computing(call)),
        }
    }

    /// The call goes on to storing what the body returned.
    fn after_computing(&mut self, mut call: Box<Call>, finished: Finished<R>) -> Next<R, T> {
        let kit = self.kit;
        let Finished {
            output,
            keep,
            ttl,
            tags,
        } = finished;
        if let Some(ttl) = ttl {
            call.lives_for(ttl);
        }
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
                call.fail(&|| (kit.share)(&failure), is_whole);
                if let Some(output) = self.instead() {
                    return Err(output);
                }
                call.is_computed();
                call.hand_over_own();
                Err(failure)
            }
        }
    }

    /// What a call returns in place of a failure, where the policy has a value for that.
    fn instead(&mut self) -> Option<R> {
        let fallback = self.guided.as_mut()?.fallback.as_mut()?;
        let current = fallback.value(StaleReason::Failed)?;
        hand_out(&self.kit, &current.value).map(self.kit.wrap)
    }

    fn take(&mut self, call: &mut Call, step: Step) -> Taken<R> {
        let kit = self.kit;
        match step {
            Step::Value(current) => {
                if let Some(value) = hand_out(&kit, &current.value) {
                    call.hand_over(&current.tags, current.valid);
                    return Taken::Output((kit.wrap)(value));
                }
            }
            Step::Failed(failure, tags, valid) => {
                if let Some(output) = self.instead() {
                    return Taken::Output(output);
                }
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
pub(super) type ComputingSync = (Option<Kept>, Computing);

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
