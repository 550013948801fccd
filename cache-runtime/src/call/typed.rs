//! The links of a call that know the function's types: the way in, the local hit, and the order of
//! the steps on a miss. Instantiated for each function, and so kept to what needs the types.

use std::any::{Any, TypeId};
use std::future::pending;
use std::sync::Arc;

use super::plan::{Finished, Planned, Start};
use super::{Call, Role, Site, Step};
use crate::cache::{Cache, Inner};
use crate::error::{Error, ErrorKind};
use crate::key::KeyWriter;
use crate::local::{Home, KeyRef, LocalEntry, Value};
use crate::output::Kit;
use crate::scope;
use crate::spec::Spec;

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
    let is_put = given.is_some();
    let refused = given.as_deref().and_then(|output| refusal(&kit, output));
    if let Some(refused) = refused {
        call.put(Err(refused)).await;
        return pending().await;
    }
    let planned = plan(Start::new(&kit, given));
    call.plan(planned.ttl, &planned.tags);
    if !is_put {
        match take(&kit, call.secure().await) {
            Taken::Output(output) => return output,
            Taken::Failed(output) => {
                call.is_coalesced();
                return output;
            }
            Taken::Alone => call.role = Role::Alone,
            Taken::Compute | Taken::Put(_) | Taken::Never => {}
        }
    }
    let Finished { output, keep, tags } = call.drive(planned.body).await;
    call.learn(&tags);
    let output = (kit.split)(output);
    if is_put {
        let refused = |_| Error::new(ErrorKind::Refused, "an `Err` is never stored");
        call.put(output.map(kit.pack).map_err(refused)).await;
        return pending().await;
    }
    match output {
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
