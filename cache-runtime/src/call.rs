//! One call of a cached function, from its way in to its landing: key, lookup, flight, lease,
//! compute, commit. This module alone knows the order; each step is in a module of its own, and
//! everything that waits is free of the function's types.

use std::any::Any;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::cache::{Cache, Inner};
use crate::clock::Millis;
use crate::flight::{Course, Leader};
use crate::inspect::{self, Inspection, Outcome, Report, Request, Tier};
use crate::key::KeyWriter;
use crate::lease::Lease;
use crate::local::{Home, LocalKey, Value};
use crate::log::{LogId, Position};
use crate::output::{Failure, Vtable};
use crate::scope::{self, Aboard, Flag};
use crate::spec::Spec;
use crate::tag::TagHash;

mod commit;
mod lead;
mod lookup;
mod plan;
mod subject;
mod typed;

pub use plan::{Ending, Finish, Finished, Finishing, Planned, Planning, Start};

use subject::Subject;
pub use subject::{Site, site};
pub use typed::{Entered, enter};

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
    noted: Noted,
    started: Millis,
    /// When the waiting for others ends.
    deadline: Millis,
}

/// What this call is to others that want the same value.
#[expect(
    clippy::large_enum_variant,
    reason = "one per miss, inside a box already"
)]
enum Role {
    /// It flies for itself: the function has no `singleflight`, or waiting came to nothing.
    Alone,
    Leader(Leader<Lease>),
    /// It puts its value in the place of whatever is stored, if that is still newer.
    Replaces,
}

/// Where the compute starts from, and the shared log's id where there is one.
#[derive(Clone, Copy)]
struct Noted {
    at: Position,
    id: Option<LogId>,
    /// How many invalidations this process owed the log by then, all in all.
    owes: u64,
}

impl Noted {
    const NOWHERE: Self = Self {
        at: Position::NOWHERE,
        id: None,
        owes: 0,
    };
}

/// What a step before the compute came to.
enum Step {
    /// Here is the value: nothing is computed.
    Value(Value),
    /// The call that was waited for failed like this.
    Failed(Failure),
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
        key: KeyWriter,
        codec: Option<&'static Vtable>,
    ) -> Self {
        let cache = Cache::current(cache);
        let seed = cache.0.local.as_ref().map_or(0, crate::local::Local::seed);
        let hash = key.hash(seed ^ home.seed());
        let mut call = Self {
            spec,
            site,
            key: LocalKey {
                hash,
                home,
                words: key.into_boxed(),
            },
            codec,
            subject: OnceLock::new(),
            met_unreadable: OnceLock::new(),
            proven: OnceLock::new(),
            bypass: scope::is_open(Flag::BYPASS) || cache.0.off.is_some(),
            inspection: None,
            report: None,
            role: Role::Alone,
            ttl: None,
            tags: Arc::from([]),
            noted: Noted::NOWHERE,
            started: 0,
            deadline: 0,
            cache,
        };
        if !scope::is_plain() {
            call.report = inspect::claim_report();
            call.inspection = inspect::claim_inspection();
            if let Some(inspection) = &call.inspection {
                inspection.identify(call.identity());
            }
        }
        call
    }

    fn inner(&self) -> &Inner {
        &self.cache.0
    }

    /// Whether a look-up is in order before anything else.
    fn may_look(&self) -> bool {
        !self.bypass && self.inspection.is_none()
    }

    fn tell(&self, outcome: Outcome) {
        if let Some(report) = &self.report {
            report.set(outcome);
        }
    }

    fn is_local_hit(&self) {
        self.inner().reporter.hits.add();
        self.tell(Outcome::Hit(Tier::Local));
    }

    fn is_coalesced(&self) {
        self.inner().reporter.counters.coalesced.add();
        self.tell(Outcome::Coalesced);
    }

    /// Up to the plan: inspection, the shared look-up, the flight.
    async fn find(&mut self) -> Step {
        if let Some(inspection) = self.inspection.clone() {
            return self.inspected(&inspection).await;
        }
        if self.bypass {
            return Step::Compute;
        }
        if let Some(value) = self.proven_local_value().await {
            self.is_local_hit();
            return Step::Value(value);
        }
        if let Some(value) = self.shared_value().await {
            return Step::Value(value);
        }
        match self.spec.singleflight {
            Some(flying) => self.fly(flying).await,
            None => Step::Compute,
        }
    }

    async fn inspected(&mut self, inspection: &Inspection) -> Step {
        if let Some(shared) = &self.inner().shared {
            shared.summon();
        }
        // A value that is put must be no older than the handle.
        self.note();
        match inspection.request().await {
            Request::Peek => {
                let mut value = self.local_value();
                if value.is_none() {
                    value = self.proven_local_value().await;
                }
                if value.is_none() {
                    value = self.shared_value().await;
                }
                value.map_or_else(
                    || {
                        inspection.missed();
                        Step::Missed
                    },
                    Step::Value,
                )
            }
            Request::Put(output) => {
                self.role = Role::Replaces;
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

    /// From the plan to the compute: the lease, another look, and the head.
    async fn secure(&mut self) -> Step {
        if self.bypass && !matches!(self.role, Role::Replaces) {
            return Step::Compute;
        }
        if matches!(self.role, Role::Leader(_)) {
            let step = self.lease().await;
            if !matches!(step, Step::Compute) {
                return step;
            }
        }
        if !matches!(self.role, Role::Replaces) {
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
        Step::Compute
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

    /// Polls the body, on record as being inside its flight; keeps the lease while it waits.
    async fn drive<B: Future>(&mut self, body: B) -> B::Output {
        let mut body = pin!(body);
        poll_fn(|cx| {
            let polled = {
                let _aboard = match &self.role {
                    Role::Leader(leader) => Some(Aboard::enter(leader.flight())),
                    Role::Alone | Role::Replaces => None,
                };
                body.as_mut().poll(cx)
            };
            if polled.is_pending()
                && let Role::Leader(leader) = &mut self.role
                && let Some(lease) = leader.bequest()
            {
                lease.poll_renewal(cx);
            }
            polled
        })
        .await
    }
}
