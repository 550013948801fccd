//! What a call gets where no fresh value is at hand: whether a value past its ttl will do, and when.
//! That it is current is asked again each time: one that has been invalidated never will.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use super::lookup::Current;
use super::{Call, hand_over};
use crate::background::Permit;
use crate::backoff::Pause;
use crate::cache::{Cache, Inner};
use crate::clock::{Millis, millis};
use crate::error::{Error, ErrorKind};
use crate::inspect::{Outcome, Report};
use crate::local::{Age, LocalKey, Term};
use crate::log::Judgement;
use crate::observe::{Event, StaleReason};
use crate::policy::Rules;
use crate::scope::{self, Flag};
use crate::spec::Spec;
use crate::tag::TagHash;
use crate::timer::Alarm;

/// For so long nobody asks again whether a value that is being computed anew has come.
const LOOK: Millis = 1_000;

/// A call's policy, and what is known of the call where that is out of reach: in the background, or
/// at work for a step.
pub(super) struct Ruling {
    cache: Cache,
    spec: Spec,
    key: LocalKey,
    /// The key's tag.
    tag: TagHash,
    pub(super) rules: Rules,
    /// How long the value that was found is good for.
    term: Option<Term>,
    /// Whether it was fresh when a new one was begun.
    ahead: bool,
    bypass: bool,
    /// Whether the call goes on in the background.
    behind: AtomicBool,
    /// Whether the call waits for another's compute.
    waits: AtomicBool,
    /// Whether its failure is known.
    told: AtomicBool,
}

/// What a policy makes of a value that was found.
pub(super) enum Verdict {
    /// It is the answer, and a new one is to be computed in the background.
    Refresh(Current),
    /// It is the answer.
    Serve(Current),
    /// A new one is to be computed first.
    Compute,
}

impl Ruling {
    fn inner(&self) -> &Inner {
        &self.cache.0
    }

    pub(super) fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    /// The call goes on in the background.
    pub(super) fn goes_behind(&self) {
        self.behind.store(true, Ordering::Relaxed);
    }

    /// Whether there is something to go on with in the background: not where the call waits for
    /// another's compute, and not where nobody else would get the value.
    pub(super) fn may_go_on(&self) -> bool {
        !self.bypass && !self.waits.load(Ordering::Relaxed)
    }

    /// A new value has been stored.
    pub(super) fn succeeded(&self) {
        let inner = self.inner();
        inner.backoff.succeeded(&self.key);
        if self.is_behind() {
            let (function, ahead) = (self.spec.name, self.ahead);
            inner.reporter.counters.refreshed.add();
            if ahead {
                inner.reporter.counters.refreshed_ahead.add();
            }
            inner.reporter.tell(&Event::Refreshed { function, ahead });
        }
    }

    /// The compute has brought nothing that is to be stored, which is no failure; but the next one
    /// would bring no more than that for now.
    pub(super) fn brought_nothing(&self) {
        let Some(term) = self.term else { return };
        if self.is_behind() {
            let inner = self.inner();
            let now = inner.clock.now();
            let next = now + millis(self.rules.backoff.0);
            inner.backoff.pause(&self.key, now, next);
            self.settle(next.min(self.end(&term, self.rules.stale_for)), false);
        }
    }

    /// The compute has failed: where there is a value to serve meanwhile, the next one waits.
    pub(super) fn failed(&self) {
        if self.told.swap(true, Ordering::Relaxed) {
            return;
        }
        let inner = self.inner();
        if self.is_behind() {
            let function = self.spec.name;
            inner.reporter.counters.failed_refreshes.add();
            inner.reporter.tell(&Event::RefreshFailed { function });
        }
        let Some(term) = self.term else { return };
        let now = inner.clock.now();
        let next = inner.backoff.failed(&self.key, now, self.rules.backoff);
        self.settle_failing(&term, now, next);
    }

    /// The compute has taken too long in the background.
    pub(super) fn is_given_up(&self) {
        let limit = self.rules.background_timeout;
        let error = Error::new(
            ErrorKind::Timeout,
            format!(
                "`{}` has not returned within its `background_timeout` of {limit:?}; it is given up",
                self.spec.name
            ),
        );
        self.inner().reporter.fault("a background compute", &error);
        self.failed();
    }

    /// When the value that was found ends, if it may be served for so long past its ttl.
    fn end(&self, term: &Term, time: Duration) -> Millis {
        (term.expires + millis(time)).min(term.ends)
    }

    /// Until then, the value that was found is handed out as it is.
    fn settle(&self, until: Millis, failing: bool) {
        if let (Some(local), Some(term)) = (&self.inner().local, self.term) {
            local.settle(&self.key.as_ref(), term.expires, until, failing);
        }
    }

    /// Until the next try it is handed out; but another process may bring a new one before.
    fn settle_failing(&self, term: &Term, now: Millis, next: Millis) {
        let is_shared = self.inner().shared.is_some() && !self.spec.local;
        let next = if is_shared {
            next.min(now + LOOK)
        } else {
            next
        };
        self.settle(next.min(self.end(term, self.rules.grace())), true);
    }

    /// A new value is being computed: for a while, nobody need see to that, while the value that is
    /// there may be served for so long past its ttl.
    pub(super) fn is_seen_to(&self, time: Duration) {
        let Some(term) = self.term else { return };
        let inner = self.inner();
        let now = inner.clock.now();
        if inner.local.is_some() {
            self.settle((now + LOOK).min(self.end(&term, time)), false);
        } else {
            inner.backoff.pause(&self.key, now, now + LOOK);
        }
    }

    /// When a compute that is in the background now has taken too long.
    pub(super) fn limit(&self) -> Alarm {
        let clock = &self.inner().clock;
        Alarm::at(clock, clock.now() + millis(self.rules.background_timeout))
    }

    /// The right to go on in the background.
    pub(super) fn permit(&self) -> Option<Permit> {
        self.inner().background.permit(self.tag)
    }

    /// There was no room for a background compute.
    pub(super) fn skipped(&self) {
        let inner = self.inner();
        if inner.background.is_closed() {
            return;
        }
        inner.reporter.counters.skipped_refreshes.add();
        let function = self.spec.name;
        inner.reporter.tell(&Event::RefreshSkipped { function });
    }

    /// Whether a value that was current when it was found still may be served, by a view that this
    /// call may believe.
    fn judge(&self, current: &Current, is_proven: bool) -> Fitness {
        let inner = self.inner();
        let is_trusted = || {
            let now = inner.clock.now();
            inner.view.is_trusted(now, || inner.clock.wall())
        };
        match inner.view.judge(current.at, &current.tags) {
            Judgement::Outdated => Fitness::Outdated,
            Judgement::Current if is_proven || current.asked || is_trusted() => Fitness::Current,
            // The view does not know; the log did.
            Judgement::Ahead | Judgement::Unknown
                if current.asked && !inner.view.holds_any(&current.tags) =>
            {
                Fitness::Current
            }
            Judgement::Current | Judgement::Ahead | Judgement::Unknown => Fitness::Unknown,
        }
    }
}

/// Whether a value may be served past its ttl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fitness {
    Current,
    /// Nobody can say now.
    Unknown,
    Outdated,
}

impl Call {
    /// What the policy says, where there is one.
    pub(super) fn rules(&self) -> Option<&Rules> {
        self.ruling.as_ref().map(|ruling| &ruling.rules)
    }

    /// Whether this call goes on after its caller has been answered.
    pub(super) fn is_behind(&self) -> bool {
        self.ruling
            .as_ref()
            .is_some_and(|ruling| ruling.is_behind())
    }

    /// Says that this call waits for another's compute, until dropped.
    pub(super) fn waiting(&self) -> Option<Waiting> {
        let ruling = Arc::clone(self.ruling.as_ref()?);
        ruling.waits.store(true, Ordering::Relaxed);
        Some(Waiting(ruling))
    }

    /// Takes over the policy, and makes of what was found what that says.
    pub(super) fn decide(&mut self, rules: Rules) -> Verdict {
        // From here on it may go on without its caller, and does not keep the cache by itself.
        self.cache = self.cache.for_background();
        if !self.is_put() {
            self.inspection = None;
        }
        let kept = self.kept.as_ref();
        self.ruling = Some(Arc::new(Ruling {
            cache: self.cache.clone(),
            spec: self.spec,
            key: self.key.clone(),
            tag: self.subject().tag,
            rules,
            term: kept.map(|kept| kept.term),
            ahead: kept.is_some_and(|kept| kept.age == Age::Due),
            bypass: self.bypass,
            behind: AtomicBool::new(false),
            waits: AtomicBool::new(false),
            told: AtomicBool::new(false),
        }));
        if rules.soft_timeout.is_some() && rules.stale_if_error.is_zero() {
            self.misuse(
                "its policy has a `soft_timeout` and no `stale_if_error`, so that there is never a \
                 value to serve in time: say how long one may be served",
            );
        }
        match (&self.kept, &self.ruling) {
            (Some(kept), Some(ruling)) => self.verdict(kept, ruling),
            _ => Verdict::Compute,
        }
    }

    /// As [`decide`](Self::decide), once more has been found.
    pub(super) fn decide_again(&mut self) -> Verdict {
        match self.rules().copied() {
            Some(rules) => self.decide(rules),
            None => Verdict::Compute,
        }
    }

    fn verdict(&self, kept: &Current, ruling: &Ruling) -> Verdict {
        // The look-up may have waited for a server.
        if ruling.judge(kept, self.is_proven()) != Fitness::Current {
            return Verdict::Compute;
        }
        let (rules, term) = (&ruling.rules, &kept.term);
        let now = self.inner().clock.now();
        let serve = || Verdict::Serve(kept.clone());
        let refresh = || Verdict::Refresh(kept.clone());
        let pause = self.inner().backoff.of(&self.key, now);
        if now < term.expires {
            if rules.refresh_ahead.is_some() && pause.is_none() {
                return refresh();
            }
            let until = pause.map_or(term.expires, |pause| pause.next);
            ruling.settle(until.min(term.expires), false);
            return serve();
        }
        let end = ruling.end(term, rules.grace());
        if let Some(pause) = pause.filter(Pause::is_failing) {
            if now >= end {
                return Verdict::Compute;
            }
            ruling.settle_failing(term, now, pause.next);
            return serve();
        }
        if now < ruling.end(term, rules.stale_for) {
            return if pause.is_some() { serve() } else { refresh() };
        }
        let has_limits = rules.soft_timeout.or(rules.hard_timeout).is_some();
        if now < end && has_limits && self.inner().background.has(ruling.tag) {
            // A call before this one has waited for long enough.
            ruling.is_seen_to(rules.grace());
            return serve();
        }
        Verdict::Compute
    }

    /// Whether computing this key has failed of late.
    pub(super) fn is_failing(&self) -> bool {
        let inner = self.inner();
        let pause = inner.backoff.of(&self.key, inner.clock.now());
        pause.is_some_and(|pause| pause.is_failing())
    }

    /// Counts an answer of the policy's, and hands over its tags.
    pub(super) fn is_served(&self, current: &Current) {
        let now = self.inner().clock.now();
        if now < current.term.expires {
            self.is_hit(current);
        } else {
            self.is_stale(StaleReason::settled(self.is_failing()));
        }
        self.hand_over(&current.tags, current.valid);
    }

    /// What this call can fall back on while it computes, where there is any of that.
    pub(super) fn fallback(&mut self) -> Option<Box<Fallback>> {
        let ruling = Arc::clone(self.ruling.as_ref()?);
        let kept = self
            .kept
            .take()
            .filter(|_| !ruling.rules.stale_if_error.is_zero());
        let hard = ruling.rules.hard_timeout;
        if kept.is_none() && hard.is_none() {
            return None;
        }
        let clock = &self.inner().clock;
        let alarm = |after: Duration| Alarm::at(clock, clock.now() + millis(after));
        let soft = ruling.rules.soft_timeout.filter(|_| kept.is_some());
        Some(Box::new(Fallback {
            soft: soft.map(alarm),
            hard: hard.map(alarm),
            is_proven: self.is_proven(),
            report: self.report.clone(),
            kept,
            ruling,
        }))
    }
}

/// Waiting for another's compute.
pub(super) struct Waiting(Arc<Ruling>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waits.store(false, Ordering::Relaxed);
    }
}

/// What a call gets in place of a value that does not come, or not in time.
pub(super) struct Fallback {
    pub(super) ruling: Arc<Ruling>,
    kept: Option<Current>,
    is_proven: bool,
    report: Option<Arc<Report>>,
    soft: Option<Alarm>,
    hard: Option<Alarm>,
}

/// What a call that is out of time gets.
pub(super) enum Late {
    /// A value past its ttl.
    Value(Current),
    /// An error.
    Error(Error),
}

impl Fallback {
    /// The value past its ttl, if it still may be served; counted as the answer.
    pub(super) fn value(&mut self, why: StaleReason) -> Option<Current> {
        let kept = self.kept.as_ref()?;
        let ruling = &self.ruling;
        let inner = ruling.inner();
        let fitness = ruling.judge(kept, self.is_proven);
        if fitness == Fitness::Outdated {
            self.kept = None;
        }
        let kept = self.kept.as_ref()?;
        let end = ruling.end(&kept.term, ruling.rules.stale_if_error);
        if fitness != Fitness::Current || inner.clock.now() >= end {
            return None;
        }
        let current = self.kept.take()?;
        inner.reporter.stale(ruling.spec.name, why);
        self.tell(Outcome::Stale);
        let place = ruling.spec.place();
        hand_over(inner, place, &current.tags, current.valid);
        Some(current)
    }

    /// Whether the call has waited long enough, though it has its value.
    pub(super) fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        is_over(&mut self.soft, cx) || is_over(&mut self.hard, cx)
    }

    fn tell(&self, outcome: Outcome) {
        if let Some(report) = &self.report {
            report.set(outcome);
        }
    }

    /// What the call gets now, if it has waited long enough.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Late> {
        if is_over(&mut self.soft, cx) {
            self.soft = None;
            if let Some(current) = self.value(StaleReason::SoftTimeout) {
                self.has_timed_out(false);
                return Poll::Ready(Late::Value(current));
            }
        }
        if !is_over(&mut self.hard, cx) {
            return Poll::Pending;
        }
        self.hard = None;
        self.has_timed_out(true);
        if let Some(current) = self.value(StaleReason::HardTimeout) {
            return Poll::Ready(Late::Value(current));
        }
        let inner = self.ruling.inner();
        inner.reporter.counters.timed_out.add();
        self.tell(Outcome::TimedOut);
        // What follows from this may be wrong for anyone else.
        if scope::is_open(Flag::INHERITS)
            && let Some(inherited) = scope::inherited(inner.address())
        {
            inherited.spoil();
        }
        let limit = self.ruling.rules.hard_timeout.unwrap_or_default();
        Poll::Ready(Late::Error(Error::new(
            ErrorKind::Timeout,
            format!(
                "`{}` has not returned within its `hard_timeout` of {limit:?}",
                self.ruling.spec.name
            ),
        )))
    }

    fn has_timed_out(&self, hard: bool) {
        let reporter = &self.ruling.inner().reporter;
        let function = self.ruling.spec.name;
        let counters = &reporter.counters;
        let counter = if hard {
            &counters.hard_timeouts
        } else {
            &counters.soft_timeouts
        };
        counter.add();
        reporter.tell(&Event::TimeoutPassed { function, hard });
    }
}

fn is_over(alarm: &mut Option<Alarm>, cx: &mut Context<'_>) -> bool {
    match alarm {
        Some(alarm) => Pin::new(alarm).poll(cx).is_ready(),
        None => false,
    }
}
