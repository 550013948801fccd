//! The flight and the lease: who computes, in this process and across processes, and how long
//! the others wait.

use std::sync::Arc;
use std::time::Duration;

use super::lookup::Current;
use super::{Call, Role, Step};
use crate::cache::Inner;
use crate::clock::Millis;
use crate::flight::{Awaited, Course, Follower, Landing, Role as Seat};
use crate::inspect::Tier;
use crate::lease::Lease;
use crate::local::{Age, Term};
use crate::log::{Judgement, Position};
use crate::output::Failure;
use crate::shared::{Bid, Bidden, Shared, Slot, Token};
use crate::spec::Flying;
use crate::tag::TagHash;
use crate::timer;

/// How old a flight may be to be joined while the log is out of reach: no older than what the
/// local tier may serve then.
const JOINABLE: u64 = 2_000;
/// Without notes, a lease is looked at this often.
const UNTRACKED_LOOK: Duration = Duration::from_millis(50);
/// How often one lease is taken over before this call just waits for it.
const SUPERSEDES: u32 = 3;

/// Joining is a hit, and passes the same test. While the log is out of reach there is nothing to
/// test by but this process's own debts and the flight's age; and in `Strict` not even those, for
/// others' invalidations count as much.
fn admits(inner: &Inner, course: &Course, is_proven: bool) -> bool {
    let now = inner.clock.now();
    let is_young = || !inner.strict && now < course.since + JOINABLE;
    let is_trusted = || is_proven || inner.view.is_trusted(now, || inner.clock.wall());
    if inner.view.judge(course.at, &course.tags) == Judgement::Current {
        return is_trusted() || is_young();
    }
    let is_attached = inner
        .shared
        .as_ref()
        .is_none_or(|shared| shared.is_attached());
    !is_attached
        && is_young()
        && inner
            .view
            .admits_unattached(course.at, course.owes, &course.tags)
}

impl Call {
    /// Joins the flight of this key, or leads one.
    pub(super) async fn fly(&mut self, flying: Flying) -> Step {
        self.deadline = self.inner().clock.now() + crate::clock::millis(flying.wait);
        self.prove().await;
        loop {
            let cache = self.cache.clone();
            let inner = &cache.0;
            let is_proven = self.is_proven();
            let admits = |course: &Course| admits(inner, course, is_proven);
            match inner
                .flights_of(&self.spec)
                .enter(&self.key, admits, || inner.view.position())
            {
                Seat::Alone => return Step::Compute,
                Seat::Leader(leader) => {
                    self.role = Role::Leader(Box::new(leader));
                    return self.look_again();
                }
                Seat::Follower(mut follower) => {
                    let waiting = self.waiting();
                    let awaited = timer::until(&inner.clock, self.deadline, follower.wait()).await;
                    drop(waiting);
                    match awaited {
                        None => return self.gives_up(),
                        Some(Awaited::Elected(leader)) => {
                            self.role = Role::Leader(Box::new(leader));
                            return self.look_again();
                        }
                        Some(Awaited::Landed(landing)) => {
                            if let Some(step) = self.arrive(&follower, landing) {
                                return step;
                            }
                        }
                    }
                }
            }
        }
    }

    /// How many milliseconds this call may go on waiting.
    fn left(&self) -> u64 {
        self.deadline.saturating_sub(self.inner().clock.now())
    }

    /// The wait is over: this call computes alone. Those who follow it find another leader.
    fn gives_up(&mut self) -> Step {
        self.inner().reporter.counters.wait_timeouts.add();
        self.role = Role::Alone;
        Step::Compute
    }

    /// What a follower makes of the landing; `None` where the value is too old for it.
    fn arrive(&self, follower: &Follower<Lease>, landing: Landing) -> Option<Step> {
        match landing {
            Landing::Value {
                value,
                at,
                tags,
                found,
            } => {
                let view = &self.inner().view;
                let accepted = if found {
                    // Computed at some time before: what counts is whether it is current now, by a
                    // view that this call may believe.
                    (!self.inner().strict || self.is_proven())
                        && view.judge(at, &tags) == Judgement::Current
                } else {
                    view.accepts(at, follower.joined(), &tags, follower.tested())
                };
                accepted.then(|| {
                    self.is_coalesced();
                    let valid = (!found).then(|| follower.knows(at));
                    Step::Value(Current {
                        value,
                        at,
                        tags,
                        term: Term::until(Millis::MAX),
                        age: Age::Fresh,
                        tier: Tier::Local,
                        valid,
                        asked: false,
                    })
                })
            }
            // A failure follows from what was read, as a value does.
            Landing::Failed { failure, at, tags } => self
                .inner()
                .view
                .accepts(at, follower.joined(), &tags, follower.tested())
                .then(|| Step::Failed(failure, tags, follower.knows(at))),
        }
    }

    /// A flight may have landed between the look-up and the seat.
    fn look_again(&mut self) -> Step {
        match self.local_current().filter(Current::is_fresh) {
            Some(current) => {
                self.is_hit(&current);
                self.bring(current)
            }
            None => Step::Compute,
        }
    }

    pub(super) fn land(&mut self, landing: Landing) {
        if let Role::Leader(leader) = std::mem::replace(&mut self.role, Role::Alone) {
            leader.land(landing);
        }
    }

    /// Gets the lease for this key, or what its holder made of it.
    pub(super) async fn lease(&mut self) -> Step {
        let (Some((shared, slot)), Some(flying)) = (self.reach(), self.spec.singleflight) else {
            return Step::Compute;
        };
        if !matches!(self.role, Role::Leader(_)) || self.inherits_lease() {
            return Step::Compute;
        }
        let sync = self.spec.sync;
        match Lease::sought(&shared, &slot, flying.lease, &self.inner().leases, sync) {
            Ok(lease) => self.bid(&shared, &slot, lease, flying.lease).await,
            Err(error) => {
                self.fault("bidding for a lease", &error);
                Step::Compute
            }
        }
    }

    /// Takes over the lease of a leader that went away, if it left one.
    pub(super) fn inherits_lease(&mut self) -> bool {
        let Role::Leader(leader) = &mut self.role else {
            return false;
        };
        let Some(mut inherited) = leader.inherit() else {
            return false;
        };
        inherited.renew_soon();
        leader.bequeath(Some(inherited));
        true
    }

    async fn bid(
        &mut self,
        shared: &Arc<dyn Shared>,
        slot: &Arc<Slot>,
        mut lease: Lease,
        ttl: Duration,
    ) -> Step {
        let mut waited = None;
        // Where the holder began that was waited for.
        let mut at = Position::NOWHERE;
        let mut supersede = None;
        let mut superseded = 0;
        loop {
            self.note();
            let Some(log) = self.noted.id else {
                return Step::Compute;
            };
            // Registered first: a change between the bid's answer and the wait is not missed.
            let change = shared.lease_change(slot);
            lease.sought_again();
            let head = self.noted.at.head;
            let bid = Bid {
                token: lease.token(),
                log,
                head,
                ttl,
                waited,
                supersede,
            };
            match shared.bid(slot, bid).await {
                Err(error) => {
                    self.fault("bidding for a lease", &error);
                    return Step::Compute;
                }
                Ok(Bidden::Failed { message }) => {
                    lease.denied();
                    let failure = Failure::Message(message);
                    let tags = self.tags_of_failure_elsewhere();
                    self.land(Landing::Failed {
                        failure: failure.clone(),
                        at,
                        tags: Arc::clone(&tags),
                    });
                    return Step::Failed(failure, tags, at);
                }
                Ok(Bidden::Granted { entry }) => {
                    if let Some(bytes) = entry
                        && let Some(step) = self.take_found(shared, slot, &bytes).await
                    {
                        return step;
                    }
                    if let Role::Leader(leader) = &mut self.role {
                        leader.bequeath(Some(lease));
                    }
                    return Step::Compute;
                }
                Ok(Bidden::Held {
                    holder,
                    log,
                    head,
                    remaining,
                    noted,
                }) => {
                    lease.denied();
                    if superseded < SUPERSEDES && self.is_too_old(&log, head) {
                        superseded += 1;
                        supersede = Some(holder);
                        continue;
                    }
                    // A sync call of this process may be what an async one waits for, or may be in
                    // the way of it: neither waits for the other.
                    if self.inner().leases.has(holder, !self.spec.sync) {
                        return Step::Compute;
                    }
                    (waited, supersede) = (Some(holder), None);
                    at = self.inner().view.locate(&log, head);
                    let change = noted.then_some(change);
                    let waiting = self.waiting();
                    let in_time = self.await_change(change, remaining, holder).await;
                    drop(waiting);
                    if !in_time {
                        return self.gives_up();
                    }
                    let found = self.shared_current().await;
                    if let Some(current) = found.filter(Current::is_fresh) {
                        self.is_coalesced();
                        return self.bring(current);
                    }
                }
            }
        }
    }

    /// Whether what the holder will bring has been invalidated already.
    fn is_too_old(&self, log: &crate::log::LogId, head: u64) -> bool {
        let view = &self.inner().view;
        view.judge(view.locate(log, head), &self.tags) == Judgement::Outdated
    }

    /// An entry that came between the look-up and the lease.
    async fn take_found(
        &mut self,
        shared: &Arc<dyn Shared>,
        slot: &Arc<Slot>,
        bytes: &[u8],
    ) -> Option<Step> {
        let current = self.read(shared, slot, bytes).await;
        let current = current.filter(Current::is_fresh)?;
        self.is_hit(&current);
        Some(self.bring(current))
    }

    /// Lands with a value that was found in a tier.
    pub(super) fn bring(&mut self, current: Current) -> Step {
        self.land(Landing::Value {
            value: Arc::clone(&current.value),
            at: current.at,
            tags: Arc::clone(&current.tags),
            found: true,
        });
        Step::Value(current)
    }

    /// What the failure of a compute in another process may follow from: of what it took over from
    /// cached calls nothing is known here, but that no record has moved that.
    fn tags_of_failure_elsewhere(&self) -> Arc<[TagHash]> {
        let tags = self.tags.iter().copied();
        tags.chain(self.spec.inherit.then(TagHash::any)).collect()
    }

    /// Waits for the holder, no longer than its lease lasts and this call may wait. Returns
    /// whether there is time left.
    async fn await_change(
        &self,
        change: Option<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>,
        remaining: Duration,
        holder: Token,
    ) -> bool {
        let left = self.left();
        if left == 0 {
            return false;
        }
        // When a lease runs out, those who waited for it do not bid all at once.
        let jitter = Duration::from_millis(u64::from(holder.0[0] ^ self.key.hash as u8) / 16 + 1);
        let wait = (remaining + jitter).min(Duration::from_millis(left));
        let clock = &self.inner().clock;
        let end = |wait| clock.now() + crate::clock::millis(wait);
        if let Some(change) = change {
            timer::until(clock, end(wait), change).await;
        } else {
            let look = end(wait.min(UNTRACKED_LOOK));
            timer::until(clock, look, std::future::pending::<()>()).await;
        }
        self.left() > 0
    }
}
