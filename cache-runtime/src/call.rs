//! One call of a cached function, from its way in to its landing: key, lookup, flight, lease,
//! compute, commit. This module alone knows the order; each step is in a module of its own, and
//! everything that waits is free of the function's types.

use std::any::{Any, TypeId};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::Context;
use std::time::Duration;

use crate::cache::{Cache, Inner};
use crate::catalog;
use crate::clock::Millis;
use crate::flight::{Course, Leader};
use crate::inherit::Inherited;
use crate::inspect::{self, Inspection, Outcome, Report, Request, Tier};
use crate::key::KeyWriter;
use crate::lease::{Kept, Lease};
use crate::local::{Age, Home, LocalKey};
use crate::log::{Judgement, Noted, Position};
use crate::observe::StaleReason;
use crate::output::{Failure, Vtable};
use crate::scope::{self, Flag, Inside};
use crate::spec::{Place, Spec};
use crate::tag::TagHash;
use crate::timer;

mod behind;
mod commit;
mod fallback;
mod grace;
mod lead;
mod lifetime;
mod lookup;
mod names;
mod plan;
mod replace;
mod ruled;
mod ruling;
mod steps;
mod subject;
mod typed;

pub use plan::{Ending, Finish, Finished, Finishing, Output, Start};
pub use ruled::{
    Borrowed, Captures, HasNoBackground, HasNoTimeout, IsPolicy, Lends, MadeOfTimeout,
    NeverInParts, NeverOwned, NeverWritten, Ownable, Owned, Recurs, Ruled, TimesOut, Travels,
    policy, recursive,
};

use lifetime::Lifetime;
use lookup::Current;
use ruling::Ruling;
use subject::Subject;
pub use subject::{Site, site};
pub use typed::{Entered, Running, enter};

/// Some of what a call does that may have to wait, free of the function's types.
type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a step that may have to wait comes to.
enum Coming {
    /// It had not to: nothing is boxed.
    Now(Box<Call>, Step),
    Later(Work<(Box<Call>, Step)>),
}

/// What stands between a call and its body.
pub(crate) struct Call {
    cache: Cache,
    spec: Spec,
    site: Site,
    key: LocalKey,
    codec: Option<&'static Vtable>,
    subject: OnceLock<Subject>,
    /// Whether this call has met an entry that could not be read: it counts once.
    met_unreadable: OnceLock<()>,
    /// Whether the view has been proven since this call began, once that has been tried.
    proven: OnceLock<bool>,
    bypass: bool,
    inspection: Option<Arc<Inspection>>,
    report: Option<Arc<Report>>,
    role: Role,
    ttl: Option<Duration>,
    tags: Arc<[TagHash]>,
    /// What its body takes over from the cached calls in it.
    inherited: Option<Arc<Inherited>>,
    /// It is made of something that may have been outdated before it began: it is for nobody else.
    spoilt: bool,
    /// A value that is due or stale: what the policy makes of it is known once that is.
    kept: Option<Current>,
    /// Whether the shared tier has not been looked into because of that.
    unasked: bool,
    /// What the policy says, and what of this call outlives its caller.
    ruling: Option<Arc<Ruling>>,
    lifetime: OnceLock<Lifetime>,
    noted: Noted,
    started: Millis,
    /// When the waiting for others ends.
    deadline: Millis,
}

/// What this call is to others that want the same value.
enum Role {
    /// It flies for itself: the function has no `singleflight`, or waiting came to nothing.
    Alone,
    Leader(Box<Leader<Lease>>),
    /// It puts what it computes in the place of whatever is stored, if that is still newer.
    Replaces,
    /// It does so with what it was given, and computes nothing.
    Puts,
}

/// What a step before the compute came to.
enum Step {
    /// Here is the value: nothing is computed.
    Value(Current),
    /// The call that was waited for failed like this; its value would have had these tags, and it is
    /// known where that was true.
    Failed(Failure, Arc<[TagHash]>, Position),
    /// An inspection found nothing: the call stays pending for good.
    Missed,
    /// This output was given to be stored.
    Put(Box<dyn Any + Send>),
    /// It is for this call to compute.
    Compute,
}

impl Call {
    fn new(
        spec: Spec,
        site: Site,
        cache: Option<&Cache>,
        home: Home,
        key: &KeyWriter,
        codec: Option<&'static Vtable>,
        output: TypeId,
    ) -> Self {
        let cache = Cache::current(cache);
        let seed = cache.0.local.as_ref().map_or(0, crate::local::Local::seed);
        let hash = key.hash(seed ^ home.seed());
        let is_unusable = key.is_unusable();
        let mut call = Self {
            spec,
            site,
            key: LocalKey {
                hash,
                home,
                words: key.words().into(),
            },
            codec,
            subject: OnceLock::new(),
            met_unreadable: OnceLock::new(),
            proven: OnceLock::new(),
            bypass: scope::is_open(Flag::BYPASS)
                || is_unusable
                || cache.0.off.is_some()
                || (spec.sync && !timer::may_block()),
            inspection: None,
            report: None,
            role: Role::Alone,
            ttl: None,
            tags: Arc::from([]),
            inherited: None,
            spoilt: false,
            kept: None,
            unasked: false,
            ruling: None,
            lifetime: OnceLock::new(),
            noted: Noted::NOWHERE,
            started: 0,
            deadline: 0,
            cache,
        };
        if !scope::is_plain() {
            call.report = inspect::claim_report();
            call.inspection = inspect::claim_inspection(spec.sync, output);
            if let Some(inspection) = &call.inspection {
                inspection.identify(call.identity());
            }
        }
        call
    }

    fn inner(&self) -> &Inner {
        &self.cache.0
    }

    /// Whether what was given is stored in place of a compute.
    fn is_put(&self) -> bool {
        self.role.is_put()
    }

    /// Whether a look-up is in order before anything else.
    fn may_look(&self) -> bool {
        !self.bypass && self.inspection.is_none()
    }

    fn tell(&self, outcome: Outcome) {
        if let Some(report) = &self.report
            && !self.is_behind()
        {
            report.set(outcome);
        }
    }

    fn is_hit(&self, current: &Current) {
        if self.is_behind() {
            return;
        }
        if let Age::Settled { failing } = current.age {
            return self.is_stale(StaleReason::settled(failing));
        }
        let reporter = &self.inner().reporter;
        match current.tier {
            Tier::Local => reporter.hits.add(),
            Tier::Shared => reporter.counters.hits_shared.add(),
        }
        self.tell(Outcome::Hit(current.tier));
    }

    fn is_stale(&self, why: StaleReason) {
        self.inner().reporter.stale(self.spec.name, why);
        self.tell(Outcome::Stale);
    }

    fn is_coalesced(&self) {
        if self.is_behind() {
            return;
        }
        self.inner().reporter.counters.coalesced.add();
        self.tell(Outcome::Coalesced);
    }

    /// Up to the plan: inspection, the look-up where it was not enough, the flight. With a policy,
    /// the flight comes after the plan: how long it is waited for depends on that.
    fn finding(mut self: Box<Self>) -> Coming {
        let flies = self.spec.singleflight.is_some() && !self.spec.policy;
        let inner = self.inner();
        let is_here = inner.shared.is_none() && !inner.strict;
        if self.inspection.is_none() && (self.bypass || is_here && !flies) {
            let looks = self.spec.policy && !self.bypass;
            let hit = if looks { self.local_hit() } else { None };
            let step = hit.map_or(Step::Compute, Step::Value);
            return Coming::Now(self, step);
        }
        Coming::Later(Box::pin(async move {
            let step = self.find().await;
            (self, step)
        }))
    }

    async fn find(&mut self) -> Step {
        if let Some(inspection) = self.inspection.clone() {
            return Box::pin(self.inspected(&inspection)).await;
        }
        if self.inner().strict
            && let Some(current) = Box::pin(self.proven_local_hit()).await
        {
            return Step::Value(current);
        }
        if self.spec.policy
            && !self.inner().strict
            && let Some(current) = self.local_hit()
        {
            return Step::Value(current);
        }
        // At once means at once: whether this one will do is known with the policy.
        let now = self.inner().clock.now();
        let is_of_use = |kept: &Current| now < kept.term.ends;
        if self.kept.as_ref().is_some_and(is_of_use) && !self.is_failing() {
            self.unasked = true;
            return Step::Compute;
        }
        if let Some(current) = self.shared_hit().await {
            return Step::Value(current);
        }
        match self.spec.singleflight {
            // In boxes: a look-up that finds something has no need of the room.
            Some(flying) if !self.spec.policy => Box::pin(self.fly(flying)).await,
            _ => Step::Compute,
        }
    }

    async fn inspected(&mut self, inspection: &Inspection) -> Step {
        if let Some(shared) = &self.inner().shared {
            shared.summon();
        }
        // A value that is put must be no older than the handle.
        if let Some(noted) = inspection.noted() {
            self.noted = noted;
        } else {
            self.note();
            inspection.begun(self.noted);
        }
        match inspection.request().await {
            Request::Identify => Step::Missed,
            Request::Peek | Request::Put(_) if inspection.is_astray() => Step::Missed,
            Request::Peek => {
                let mut current = self.local_current();
                if current.is_none() {
                    current = self.proven_local_current().await;
                }
                current = current.filter(Current::is_fresh);
                if current.is_none() {
                    current = self.shared_current().await.filter(Current::is_fresh);
                }
                current.map_or_else(
                    || {
                        // That it is not there is known as of now, and may change.
                        let [_, namespace, key] = self.subject().implicit();
                        self.hand_over(&[TagHash::all(), namespace, key], None);
                        inspection.missed();
                        Step::Missed
                    },
                    Step::Value,
                )
            }
            Request::Put(output) => {
                self.role = Role::Puts;
                Step::Put(output)
            }
            Request::Refresh => {
                if let Some(shared) = &self.inner().shared {
                    // Out of reach, it is not stored: the compute is what was asked for first.
                    let _ = shared.reached().await;
                }
                self.note();
                self.role = Role::Replaces;
                Step::Compute
            }
        }
    }

    /// Looks into the shared tier, where what was in the local one will not do.
    fn asking(mut self: Box<Self>) -> Work<(Box<Self>, Step)> {
        self.unasked = false;
        Box::pin(async move {
            let step = self.shared_hit().await.map_or(Step::Compute, Step::Value);
            (self, step)
        })
    }

    /// From the plan to the compute: the flight, where that waited for the plan; the lease, another
    /// look, and the head.
    fn securing(mut self: Box<Self>) -> Coming {
        let flying = match self.role {
            Role::Alone if self.spec.policy && self.may_look() => self.spec.singleflight,
            _ => None,
        };
        let leases = matches!(self.role, Role::Leader(_)) && self.inner().shared.is_some();
        if flying.is_none() && !leases {
            self.begin();
            return Coming::Now(self, Step::Compute);
        }
        Coming::Later(Box::pin(async move {
            let mut step = match flying {
                Some(flying) => self.fly(flying).await,
                None => Step::Compute,
            };
            if matches!((&step, &self.role), (Step::Compute, Role::Leader(_))) {
                step = self.lease().await;
            }
            if matches!(step, Step::Compute) {
                self.begin();
            }
            (self, step)
        }))
    }

    /// The compute begins here.
    fn begin(&mut self) {
        if !self.role.replaces() {
            self.note();
        }
        self.started = self.inner().clock.now();
        if let Role::Leader(leader) = &self.role {
            leader.computes(Course {
                at: self.noted.at,
                owes: self.noted.owes,
                since: self.started,
                tags: Arc::clone(&self.tags),
            });
        }
    }

    /// Notes the head of the local view: the value will be judged from here.
    fn note(&mut self) {
        let view = &self.inner().view;
        // Before the head: a debt taken on in between counts as one that came later.
        let owes = view.owes();
        let (id, at) = match (&self.inner().shared, view.identity()) {
            (Some(_), Some((id, at))) => (Some(id), at),
            _ => (None, view.position()),
        };
        self.noted = Noted { at, id, owes };
    }

    /// Says that what runs now is the body of this call, until dropped.
    fn inside(&mut self) -> Inside {
        let flight = match &self.role {
            Role::Leader(leader) => Some(leader.flight()),
            Role::Alone | Role::Replaces | Role::Puts => None,
        };
        if self.inherited.is_none() && self.spec.inherit {
            let inherited = Inherited::new(self.inner().address(), self.noted.at);
            self.inherited = Some(Arc::new(inherited));
        }
        Inside::enter(flight, self.inherited.as_ref())
    }

    /// Keeps the lease while the body waits.
    fn keep_lease(&mut self, cx: &mut Context<'_>) {
        if let Role::Leader(leader) = &mut self.role
            && let Some(lease) = leader.bequest()
        {
            lease.poll_renewal(cx);
        }
    }

    /// Keeps the lease while a body runs that does not return to be polled, until dropped.
    fn lease_kept(&mut self) -> Option<Kept> {
        match &mut self.role {
            Role::Leader(leader) => leader.bequest()?.kept(),
            Role::Alone | Role::Replaces | Role::Puts => None,
        }
    }

    /// Takes over the tags of the cached calls that the body has made.
    fn take_over(&mut self) {
        let Some(inherited) = self.inherited.take() else {
            return;
        };
        let inheritance = inherited.finish();
        for inner in inheritance.from {
            catalog::inherited(self.spec.place(), inner);
        }
        if inheritance.is_everything {
            self.misuse(
                "its values take over more than 64 tags from the cached calls in its body, so that \
                 any invalidation at all outdates them: give it `tags` of its own that cover \
                 these, and `inherit = false`",
            );
        }
        self.spoilt = inheritance.is_spoilt;
        self.add_tags(inheritance.tags);
        // Last: what is added to them would count as one of the group.
        let tags = self.tags.iter().copied();
        self.tags = tags.chain(inheritance.entries).collect();
    }

    /// Hands the tags of a value to the compute that this call is made in, if it is in one: they
    /// are known not to have moved up to this position, or up to now.
    ///
    /// The compute says of its value that it is as good as the log was when it began. That is so
    /// where all that it is made of was current there. What was not, or may not have been (a future
    /// that was polled before the compute began, a failure elsewhere), spoils it.
    fn hand_over(&self, tags: &[TagHash], valid: Option<Position>) {
        hand_over(self.inner(), self.spec.place(), tags, valid);
    }

    /// Where what this call has computed is known to be current.
    fn valid_at(&self) -> Position {
        if self.spoilt {
            Position::NOWHERE
        } else {
            self.noted.at
        }
    }

    /// Hands the tags of what this call has computed to the compute that it is made in.
    fn hand_over_own(&self) {
        self.hand_over(&self.tags, Some(self.valid_at()));
    }
}

/// Hands the tags of a value to the compute that this thread is in the body of, if it is in one: see
/// [`Call::hand_over`].
fn hand_over(inner: &Inner, from: Place, tags: &[TagHash], valid: Option<Position>) {
    if !scope::is_open(Flag::INHERITS) {
        return;
    }
    let Some(inherited) = scope::inherited(inner.address()) else {
        return;
    };
    let is_current = |at| inner.view.judge(at, tags) == Judgement::Current;
    if valid.is_none_or(|at| inherited.admits(at) || is_current(at)) {
        inherited.take(from, tags);
    } else {
        inherited.spoil();
    }
}

impl Role {
    /// Whether the value takes the place of what is stored.
    fn replaces(&self) -> bool {
        matches!(self, Self::Replaces | Self::Puts)
    }

    fn is_put(&self) -> bool {
        matches!(self, Self::Puts)
    }
}
