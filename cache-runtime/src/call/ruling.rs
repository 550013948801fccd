//! A call's policy, and what of the call outlives its caller: what its compute came to, and what that
//! means for the value that is there. What a caller gets is not decided here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Call;
use super::lookup::Current;
use crate::background::Permit;
use crate::cache::{Cache, Inner};
use crate::clock::{Millis, millis};
use crate::error::{Error, ErrorKind};
use crate::local::{Age, LocalKey, Term};
use crate::log::Judgement;
use crate::observe::Event;
use crate::policy::Rules;
use crate::spec::Spec;
use crate::tag::TagHash;
use crate::timer::Alarm;

/// For so long nobody asks again whether a value that is being computed anew has come.
const LOOK: Millis = 1_000;

/// A call's policy, and what is known of the call where that is out of reach: in the background, or
/// at work for a step.
pub(super) struct Ruling {
    cache: Cache,
    pub(super) spec: Spec,
    key: LocalKey,
    /// The key's tag.
    pub(super) tag: TagHash,
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

impl Ruling {
    /// That of a call, which has found what it keeps.
    pub(super) fn of(call: &Call, rules: Rules) -> Self {
        let kept = call.kept.as_ref();
        Self {
            cache: call.cache.clone(),
            spec: call.spec,
            key: call.key.clone(),
            tag: call.subject().tag,
            rules,
            term: kept.map(|kept| kept.term),
            ahead: kept.is_some_and(|kept| kept.age == Age::Due),
            bypass: call.bypass,
            behind: AtomicBool::new(false),
            waits: AtomicBool::new(false),
            told: AtomicBool::new(false),
        }
    }

    pub(super) fn inner(&self) -> &Inner {
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
    pub(super) fn end(&self, term: &Term, time: Duration) -> Millis {
        (term.expires + millis(time)).min(term.ends)
    }

    /// Until then, the value that was found is handed out as it is.
    pub(super) fn settle(&self, until: Millis, failing: bool) {
        if let (Some(local), Some(term)) = (&self.inner().local, self.term) {
            local.settle(&self.key.as_ref(), term.expires, until, failing);
        }
    }

    /// Until the next try it is handed out; but another process may bring a new one before.
    pub(super) fn settle_failing(&self, term: &Term, now: Millis, next: Millis) {
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
    pub(super) fn judge(&self, current: &Current, is_proven: bool) -> Fitness {
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
pub(super) enum Fitness {
    Current,
    /// Nobody can say now.
    Unknown,
    Outdated,
}

/// Waiting for another's compute.
pub(super) struct Waiting(Arc<Ruling>);

impl Waiting {
    pub(super) fn begin(ruling: Arc<Ruling>) -> Self {
        ruling.waits.store(true, Ordering::Relaxed);
        Self(ruling)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waits.store(false, Ordering::Relaxed);
    }
}
