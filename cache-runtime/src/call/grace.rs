//! What a call gets where no fresh value is at hand: whether a value past its ttl will do, and when.
//! That it is current is asked again each time: one that has been invalidated never will.

use std::sync::Arc;

use super::Call;
use super::lookup::Current;
use super::ruling::{Fitness, Ruling, Waiting};
use crate::backoff::Pause;
use crate::observe::StaleReason;
use crate::policy::Rules;

/// What a policy makes of a value that was found.
pub(super) enum Verdict {
    /// It is the answer, and a new one is to be computed in the background.
    Refresh(Current),
    /// It is the answer.
    Serve(Current),
    /// A new one is to be computed first.
    Compute,
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
        self.ruling.clone().map(Waiting::begin)
    }

    /// Takes over the policy, and makes of what was found what that says.
    pub(super) fn decide(&mut self, rules: Rules) -> Verdict {
        // From here on it may go on without its caller, and does not keep the cache by itself.
        self.cache = self.cache.for_background();
        if !self.is_put() {
            self.inspection = None;
        }
        self.ruling = Some(Arc::new(Ruling::of(self, rules)));
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
}
