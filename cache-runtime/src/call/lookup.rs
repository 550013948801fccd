//! Reading and judging what is stored, in this process and in the shared tier.

use std::sync::Arc;
use std::time::Duration;

use super::Call;
use super::lifetime::ahead;
use crate::clock::{self, Millis};
use crate::codec::Codec;
use crate::entry::{self, Header, Stored};
use crate::error::{Error, ErrorKind};
use crate::inspect::Tier;
use crate::local::{Age, LocalEntry, Term, Value};
use crate::log::{Judgement, Position};
use crate::shared::{Shared, Slot};
use crate::tag::TagHash;

/// A current value, of whatever age.
#[derive(Clone)]
pub(super) struct Current {
    pub(super) value: Value,
    pub(super) at: Position,
    pub(super) tags: Arc<[TagHash]>,
    pub(super) term: Term,
    /// What it was good for when it was found.
    pub(super) age: Age,
    pub(super) tier: Tier,
    /// Where it is known to be current; `None` where that is here and now.
    pub(super) valid: Option<Position>,
    /// Whether the log itself was asked about it, since this call began.
    pub(super) asked: bool,
}

impl Current {
    /// Whether it is within its ttl.
    pub(super) fn is_fresh(&self) -> bool {
        matches!(self.age, Age::Fresh | Age::Due)
    }
}

impl Call {
    /// The value in the local tier, of whatever age, if it is current.
    pub(super) fn local_current(&self) -> Option<Current> {
        let inner = self.inner();
        let local = inner.local.as_ref()?;
        if !self.believes() {
            return None;
        }
        let now = inner.clock.now();
        local.read(&self.key.as_ref(), |entry| {
            entry.is_current(&inner.view).then(|| Current {
                value: Arc::clone(&entry.value),
                at: entry.at,
                tags: Arc::clone(&entry.tags),
                term: entry.term(),
                age: entry.age(now),
                tier: Tier::Local,
                valid: None,
                asked: false,
            })
        })
    }

    /// The value in the local tier as the answer to this call.
    pub(super) fn local_hit(&mut self) -> Option<Current> {
        let current = self.local_current()?;
        let current = self.sift(current)?;
        self.is_hit(&current);
        Some(current)
    }

    /// What is handed out as it is. What may be of use later is kept aside: the policy is not known
    /// yet.
    pub(super) fn sift(&mut self, current: Current) -> Option<Current> {
        match current.age {
            Age::Fresh => {
                if self.spec.policy && current.tier == Tier::Shared {
                    // Another process could compute it.
                    self.inner().backoff.succeeded(&self.key);
                }
                return Some(current);
            }
            // A function that shares the namespace may have no policy.
            Age::Settled { .. } if self.spec.policy => return Some(current),
            Age::Due if !self.spec.policy => return Some(current),
            Age::Due | Age::Settled { .. } | Age::Stale => {}
        }
        let later = |kept: &Current| kept.term.expires >= current.term.expires;
        if self.spec.policy && !self.kept.as_ref().is_some_and(later) {
            self.kept = Some(current);
        }
        None
    }

    /// Whether the view may be believed: because it is trusted for now, or because it has been
    /// proven since this call began.
    fn believes(&self) -> bool {
        let inner = self.inner();
        self.is_proven()
            || inner
                .view
                .is_trusted(inner.clock.now(), || inner.clock.wall())
    }

    /// Whether the view has been proven to have every invalidation that was acknowledged before
    /// this call began.
    pub(super) fn is_proven(&self) -> bool {
        self.proven.get() == Some(&true)
    }

    /// In `Strict`, proves the view, unless that has been done for this call.
    pub(super) async fn prove(&self) {
        let inner = self.inner();
        if !inner.strict || self.proven.get().is_some() || self.bypass {
            return;
        }
        let Some(shared) = &inner.shared else { return };
        if !shared.is_tracked() {
            // Nothing here could be proven; and what is asked of the server is judged by it.
            return;
        }
        match shared.barrier().await {
            Ok(()) => {
                let _ = self.proven.set(true);
            }
            Err(error) => {
                // A call does not wait for it twice.
                let _ = self.proven.set(false);
                self.fault("proving the local view", &error);
            }
        }
    }

    /// The value in the local tier in `Strict`, where a call must not take it at once: what looks
    /// current is looked at again behind a barrier.
    pub(super) async fn proven_local_hit(&mut self) -> Option<Current> {
        let current = self.proven_local_current().await?;
        let current = self.sift(current)?;
        self.is_hit(&current);
        Some(current)
    }

    pub(super) async fn proven_local_current(&self) -> Option<Current> {
        let inner = self.inner();
        if !inner.strict {
            return None;
        }
        let local = inner.local.as_ref()?;
        let now = inner.clock.now();
        let is_policed = self.spec.policy;
        let looks_current = |entry: &LocalEntry| {
            let is_of_use = is_policed || matches!(entry.age(now), Age::Fresh | Age::Due);
            (is_of_use && entry.is_current(&inner.view)).then_some(())
        };
        local.read(&self.key.as_ref(), looks_current)?;
        self.prove().await;
        self.local_current()
    }

    /// The shared tier and this entry's place in it, if there is one and it is within reach.
    pub(super) fn reachable(&self) -> Option<(&Arc<dyn Shared>, &Arc<Slot>)> {
        let shared = self.inner().shared.as_ref()?;
        let slot = self.subject().slot.as_ref()?;
        (!shared.is_away(slot)).then_some((shared, slot))
    }

    /// The same, to be kept.
    pub(super) fn reach(&self) -> Option<(Arc<dyn Shared>, Arc<Slot>)> {
        let (shared, slot) = self.reachable()?;
        Some((Arc::clone(shared), Arc::clone(slot)))
    }

    pub(super) fn fault(&self, doing: &'static str, error: &Error) {
        let reporter = &self.inner().reporter;
        reporter.counters.store_errors.add();
        reporter.fault(doing, error);
    }

    /// The value in the shared tier as the answer to this call.
    pub(super) async fn shared_hit(&mut self) -> Option<Current> {
        let current = self.shared_current().await?;
        let current = self.sift(current)?;
        self.is_hit(&current);
        Some(current)
    }

    /// The value in the shared tier, if it is current; of whatever age, where there is a policy. It
    /// is kept in the local tier too.
    pub(super) async fn shared_current(&self) -> Option<Current> {
        let (shared, slot) = self.reachable()?;
        let prove = self.inner().strict && self.proven.get().is_none();
        match shared.get(slot, prove).await {
            Ok(found) => {
                if found.proven {
                    let _ = self.proven.set(true);
                }
                self.read(shared, slot, &found.entry?).await
            }
            Err(error) => {
                // Nor would anything else be answered now.
                let _ = self.proven.set(false);
                self.fault("a look-up in the shared store", &error);
                None
            }
        }
    }

    /// Judges and decodes the bytes of an entry.
    pub(super) async fn read(
        &self,
        shared: &Arc<dyn Shared>,
        slot: &Arc<Slot>,
        bytes: &[u8],
    ) -> Option<Current> {
        let subject = self.subject();
        let codec = self.codec?;
        let stored = match entry::parse(bytes, &subject.digest, subject.shape) {
            Ok(stored) => stored,
            Err(why) => {
                self.unreadable(shared, slot, &why.to_string(), bytes);
                return None;
            }
        };
        let term = self.term_of(&stored.header, shared.now())?;
        let (at, asked) = self.judged(shared, &stored).await?;
        let value = match (codec.decode)(stored.payload, stored.header.codec) {
            Ok(value) => value,
            Err(error) => {
                self.unreadable(shared, slot, &error.to_string(), bytes);
                return None;
            }
        };
        let tags = stored.tags;
        if let Some(local) = &self.inner().local {
            let size = stored.payload.len();
            let kept = LocalEntry::new(Arc::clone(&value), at, Arc::clone(&tags), term, size);
            local.insert_read(self.key.clone(), kept);
        }
        Some(Current {
            value,
            at,
            tags,
            term,
            age: term.age(self.inner().clock.now()),
            tier: Tier::Shared,
            // What the log said, it said of some moment since this call began.
            valid: asked.then_some(at),
            asked,
        })
    }

    /// How long an entry is good for on this process's clock, if it still is good for anything.
    fn term_of(&self, header: &Header, server: Millis) -> Option<Term> {
        let now = self.inner().clock.now();
        // From the server's clock to this one. What stands in an entry may be anything.
        let furthest = now + clock::millis(Duration::MAX);
        let here = |moment: Millis| {
            now.saturating_add(moment)
                .saturating_sub(server)
                .min(furthest)
        };
        if !self.spec.policy {
            let is_fresh = server < header.soft_expiry;
            return is_fresh.then(|| Term::until(here(header.soft_expiry)));
        }
        if server >= header.hard_expiry {
            return None;
        }
        let expires = here(header.soft_expiry);
        let mut due = expires;
        if header.ahead > 0 {
            let (lives, left) = (Millis::from(header.lives), Millis::from(header.ahead));
            let early = ahead(header.compute_micros, &self.inner().clock);
            let early = early.min(lives.saturating_sub(left) / 2);
            due = expires.saturating_sub(left + early);
        }
        Some(Term {
            due,
            expires,
            ends: here(header.hard_expiry).max(expires),
        })
    }

    /// Where an entry stands in this process's log, if it is current, and whether the log was asked.
    async fn judged(
        &self,
        shared: &Arc<dyn Shared>,
        stored: &Stored<'_>,
    ) -> Option<(Position, bool)> {
        let (log, version) = (stored.header.log, stored.header.version);
        let view = &self.inner().view;
        let mut at = view.locate(&log, version);
        let mut judgement = Judgement::Unknown;
        if shared.is_tracked() && self.believes() {
            judgement = view.judge(at, &stored.tags);
            if judgement == Judgement::Ahead {
                if let Err(error) = shared.catch_up().await {
                    self.fault("catching up with the log", &error);
                    return None;
                }
                at = view.locate(&log, version);
                judgement = view.judge(at, &stored.tags);
            }
        }
        let asks = judgement == Judgement::Unknown;
        if asks {
            match shared.ask(Arc::clone(&stored.tags)).await {
                Ok(answer) => judgement = answer.judge(&log, version),
                Err(error) => {
                    self.fault("asking the log", &error);
                    return None;
                }
            }
            // The log does not know what this process has not been able to tell it.
            if view.holds_any(&stored.tags) {
                return None;
            }
        }
        (judgement == Judgement::Current).then_some((at, asks))
    }

    /// Bytes that are no entry of this key: a miss, and never met again.
    fn unreadable(&self, shared: &Arc<dyn Shared>, slot: &Arc<Slot>, why: &str, bytes: &[u8]) {
        shared.discard(slot, bytes);
        if self.met_unreadable.set(()).is_err() {
            // Met again with the lease, before it was discarded.
            return;
        }
        let reporter = &self.inner().reporter;
        reporter.counters.unreadable.add();
        let error = Error::new(
            ErrorKind::Codec,
            format!(
                "the stored entry `{}` cannot be read ({why}); it is replaced",
                self.readable()
            ),
        );
        reporter.fault("reading an entry", &error);
    }

    /// The codec that this cache writes with.
    pub(super) fn codec_in_use(&self) -> Codec {
        self.inner().codec
    }
}
