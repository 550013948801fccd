//! What a call gets in place of a value that does not come, or not in time. Whether it may have that
//! is asked once more when it does.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::lookup::Current;
use super::ruling::{Fitness, Ruling};
use super::{Call, hand_over};
use crate::clock::millis;
use crate::error::{Error, ErrorKind};
use crate::inspect::{Outcome, Report};
use crate::observe::{Event, StaleReason};
use crate::scope::{self, Flag};
use crate::timer::Alarm;

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

impl Call {
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
