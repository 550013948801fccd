//! One call of a cached function, from its way in to its landing: key, lookup, flight, lease,
//! compute, commit. This module alone knows the order; each step is in a module of its own, and
//! everything that waits is free of the function's types.

use std::any::{Any, TypeId};
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::cache::{Cache, Inner};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::flight::{Course, Leader};
use crate::inspect::{self, Inspection, Outcome, Report, Request, Tier};
use crate::key::KeyWriter;
use crate::lease::Lease;
use crate::local::{Home, KeyRef, LocalEntry, LocalKey, Value};
use crate::log::{LogId, Position};
use crate::output::{Failure, Kit, Vtable};
use crate::scope::{self, Aboard, Flag};
use crate::spec::Spec;
use crate::tag::TagHash;

mod commit;
mod lead;
mod lookup;
mod plan;
mod subject;

pub use plan::{Finish, Finished, Planned, Planning, Start};

use subject::Subject;
pub use subject::{Site, site};

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
    call: Call,
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
    let home = match spec.namespace {
        None => Home::function(site.id),
        Some(name) => Home::namespace(name, spec.version, spec.key_form, TypeId::of::<T>()),
    };
    if scope::is_plain() {
        let inner = match cache {
            Some(cache) => &cache.0,
            None => &Cache::default_ref().0,
        };
        if let Some(hit) = local_hit(inner, &kit, &home, &writer) {
            return Entered(Found::Hit(hit));
        }
    }
    enter_slowly(kit, spec, site, cache, &home, writer)
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
    let call = Call::new(*spec, site, cache, *home, key, kit.codec);
    // Inside a scope nothing has been looked up yet, unless the scope says not to look.
    if !is_plain
        && call.may_look()
        && let Some(hit) = call.local_value().and_then(|value| hand_out(&kit, &value))
    {
        call.is_local_hit();
        return Entered(Found::Hit((kit.wrap)(hit)));
    }
    Entered(Found::Miss(Box::new(Missed { kit, call })))
}

/// The path of nearly all calls.
#[inline]
fn local_hit<R, T: Any>(inner: &Inner, kit: &Kit<R, T>, home: &Home, key: &KeyWriter) -> Option<R> {
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
    /// Runs the call. `plan` is evaluated when a compute or a `put` is about to start.
    pub async fn run<F, B>(self, plan: F) -> R
    where
        F: FnOnce(Start<R, T>) -> Planned<R, B>,
        B: Future<Output = Finished<R>>,
    {
        match self.0 {
            Found::Hit(output) => output,
            Found::Miss(missed) => Box::pin(miss(missed, plan)).await,
        }
    }
}

/// A call that the local tier did not answer.
async fn miss<R, T, F, B>(missed: Box<Missed<R, T>>, plan: F) -> R
where
    T: Any,
    F: FnOnce(Start<R, T>) -> Planned<R, B>,
    B: Future<Output = Finished<R>>,
{
    let Missed { kit, mut call } = *missed;
    let step = call.find().await;
    let given = match take(&kit, step) {
        Taken::Output(output) => return output,
        Taken::Failed(output) => {
            call.is_coalesced();
            return output;
        }
        Taken::Never => pending().await,
        Taken::Put(output) => Some(output),
        Taken::Compute => None,
        Taken::Alone => {
            call.role = Role::Alone;
            None
        }
    };
    let planned = plan(Start { kit });
    call.plan(planned.ttl, &planned.tags);
    if let Some(output) = given {
        drop(planned.body);
        call.put(storable(&kit, output)).await;
        return pending().await;
    }
    match take(&kit, call.secure().await) {
        Taken::Output(output) => return output,
        Taken::Failed(output) => {
            call.is_coalesced();
            return output;
        }
        Taken::Alone => call.role = Role::Alone,
        Taken::Compute | Taken::Put(_) | Taken::Never => {}
    }
    let Finished { output, keep } = call.drive(planned.body).await;
    match (kit.split)(output) {
        Ok(value) => {
            if call.wants_value(keep) {
                let stored = (kit.pack)((kit.clone)(&value));
                call.commit(stored, keep).await;
            }
            (kit.wrap)(value)
        }
        Err(failure) => {
            let is_whole = typeid::of::<R>() == TypeId::of::<T>();
            call.fail(|| (kit.share)(&failure), is_whole);
            failure
        }
    }
}

/// A [`Step`] as this function's types see it.
enum Taken<R> {
    Output(R),
    /// The failure of the call that was waited for.
    Failed(R),
    Never,
    Put(Box<dyn Any + Send>),
    Compute,
    /// The leader's failure cannot be shared: everyone computes, all at once.
    Alone,
}

fn take<R, T: Any>(kit: &Kit<R, T>, step: Step) -> Taken<R> {
    match step {
        Step::Value(value) => match hand_out(kit, &value) {
            Some(value) => Taken::Output((kit.wrap)(value)),
            None => Taken::Alone,
        },
        Step::Failed(failure) => match (kit.restore)(&failure) {
            Some(output) => Taken::Failed(output),
            None => Taken::Alone,
        },
        Step::Missed => Taken::Never,
        Step::Put(output) => Taken::Put(output),
        Step::Compute => Taken::Compute,
    }
}

/// The value to store of an output that was given.
fn storable<R, T: Any>(kit: &Kit<R, T>, output: Box<dyn Any + Send>) -> Result<Value, Error> {
    let refused = |why: &'static str| Err(Error::new(ErrorKind::Refused, why));
    let Some(claim) = kit.claim else {
        return refused("the output's type spells a lifetime, so `put` cannot take it");
    };
    match claim(output).map(kit.split) {
        Some(Ok(value)) => Ok((kit.pack)(value)),
        Some(Err(_)) => refused("an `Err` is never stored"),
        None => refused("the output is of another type"),
    }
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
                let value = match self.local_value() {
                    Some(value) => Some(value),
                    None => self.shared_value().await,
                };
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
