//! Mutations: the body, and the invalidation that follows or precedes it, whatever becomes of the
//! future in between.

use std::fmt;

use crate::cache::{Cache, Debt};
use crate::call::{Finished, Finishing};
use crate::error::{Error, ErrorKind};
use crate::inspect;
use crate::spec::{Mutation, When};
use crate::tag::{Tag, TagHash};
use crate::timer;

/// What a mutation invalidates, gathered on its way in.
pub struct Targets {
    spec: &'static Mutation,
    cache: Cache,
    /// By cache: `entries` may name calls that live in others.
    debts: Vec<(Cache, Vec<TagHash>)>,
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Targets")
            .field("mutation", &self.spec.name)
            .finish_non_exhaustive()
    }
}

/// What `entries` lists: the future of a call.
#[diagnostic::on_unimplemented(
    message = "`entries` takes calls of async functions, and this call gives a `{Self}`",
    label = "the function is not async, so calling it here would run it",
    note = "for a cached `fn`: give it a tag and name that in `tags`, or call `afresh::entry_sync(|| ..).invalidate()` in the body"
)]
pub trait AsyncCall: Future {}

#[diagnostic::do_not_recommend]
impl<F: Future> AsyncCall for F {}

impl Targets {
    /// The `tags` option.
    pub fn tags<I>(&mut self, tags: I)
    where
        I: IntoIterator,
        I::Item: Into<Tag>,
    {
        for tag in tags {
            let tag: Tag = tag.into();
            if tag.is_empty() {
                self.misuse(EMPTY_TAG);
            } else {
                self.add(None, tag.hash());
            }
        }
    }

    /// The `namespaces` option.
    pub fn namespaces<I>(&mut self, namespaces: I)
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        for namespace in namespaces {
            if namespace.as_ref().is_empty() {
                self.misuse("a namespace is empty, and holds nothing: give each its name");
            } else {
                self.add(None, TagHash::namespace(namespace.as_ref()));
            }
        }
    }

    /// One of the `entries`: a call of a cached function, which is not run.
    pub fn entry<F: AsyncCall>(&mut self, call: F) {
        if let Some(identity) = inspect::identify(call) {
            for tag in identity.tags {
                self.add(Some(&identity.cache), tag);
            }
            return;
        }
        self.misuse("an element of `entries` is not a call of a cached async function");
        debug_assert!(
            false,
            "`entries` of `{}` ({}:{}): an element is not a call of a cached async function",
            self.spec.name, self.spec.file, self.spec.line
        );
    }

    fn add(&mut self, cache: Option<&Cache>, tag: TagHash) {
        let cache = cache.unwrap_or(&self.cache);
        match self
            .debts
            .iter_mut()
            .find(|(known, _)| known.is_same(cache))
        {
            Some((_, tags)) => tags.push(tag),
            None => self.debts.push((cache.clone(), vec![tag])),
        }
    }

    fn misuse(&self, what: &'static str) {
        misuse(self.spec, &self.cache, what);
    }
}

const EMPTY_TAG: &str = "a tag is empty, and invalidates nothing: give each tag a text";

fn misuse(spec: &Mutation, cache: &Cache, what: &'static str) {
    let Mutation {
        name, file, line, ..
    } = spec;
    let error = Error::new(
        ErrorKind::Config,
        format!("`{name}` at {file}:{line}: {what}"),
    );
    cache
        .0
        .reporter
        .misuse("a mutation is used in a way that cannot work", &error);
}

/// A mutation about to run: the first link of the chain in an expansion.
#[must_use = "a mutation does nothing until it is run"]
pub struct Mutating<R, T> {
    change: Change,
    value: fn(&R) -> Option<&T>,
    /// What is returned in place of the body's output where the body must not run.
    refuse: Option<fn(Error) -> R>,
}

/// A mutation under way, free of the function's types.
struct Change {
    spec: &'static Mutation,
    cache: Cache,
    debts: Vec<Debt>,
}

impl<R, T> fmt::Debug for Mutating<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutating")
            .field("spec", self.change.spec)
            .finish_non_exhaustive()
    }
}

/// Gathers what is to be invalidated. From here on it will be, unless the body returns `Err`.
/// `value` is what a success has to show.
pub fn mutate<R, T>(
    value: fn(&R) -> Option<&T>,
    spec: &'static Mutation,
    cache: Option<&Cache>,
    gather: impl FnOnce(&mut Targets),
) -> Mutating<R, T> {
    let mut targets = Targets {
        spec,
        cache: Cache::current(cache),
        debts: Vec::new(),
    };
    gather(&mut targets);
    let debts = targets
        .debts
        .into_iter()
        .map(|(cache, tags)| Debt::new(&cache, tags))
        .collect();
    Mutating {
        change: Change {
            spec,
            cache: targets.cache,
            debts,
        },
        value,
        refuse: None,
    }
}

/// What `crash_safe(required)` returns where the body does not run.
#[diagnostic::on_unimplemented(
    message = "`crash_safe(required)` must be able to return its own error, and `{Self}` cannot hold one",
    label = "needs a `Result<T, E>` with `E: From<afresh::Error>`",
    note = "write `impl From<afresh::Error>` for the error, or remove `required`: then the body runs without the mark where it cannot be placed"
)]
pub trait Refuse {
    /// An output that says why the body did not run.
    fn refuse(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<Error>> Refuse for Result<T, E> {
    fn refuse(error: Error) -> Self {
        Err(E::from(error))
    }
}

/// [`Refuse::refuse`] as a function of its own: what it asks of the output is asked where it is
/// named, which is the flag in the attribute.
pub fn refuse<R: Refuse>(error: Error) -> R {
    R::refuse(error)
}

impl<R, T> Mutating<R, T> {
    /// The flag `required` of the `crash_safe` option, and what is returned where the body must
    /// not run.
    pub fn required(mut self, refuse: fn(Error) -> R) -> Self {
        self.refuse = Some(refuse);
        self
    }

    /// Runs the body of an async function, and invalidates. What the body returns is returned,
    /// whether or not the invalidation was acknowledged: where it was not, it is kept and tried
    /// again.
    pub fn run(self, body: impl Future<Output = R>) -> impl Future<Output = R> {
        self.judged(|_| async { Finished::of(body.await) })
    }

    /// Runs the body, asks what follows from its value, and invalidates.
    pub async fn judged<J, B>(mut self, judge: J) -> R
    where
        J: FnOnce(Finishing<R, T>) -> B,
        B: Future<Output = Finished<R>>,
    {
        if let Some(error) = self.change.before(self.refuse.is_some()).await
            && let Some(refuse) = self.refuse
        {
            return refuse(error);
        }
        let Finished { output, tags, .. } = judge(Finishing::of(self.value)).await;
        let is_success = (self.value)(&output).is_some();
        self.change.after(is_success, &tags).await;
        output
    }

    /// As [`run`](Self::run), for a sync function. It blocks while the invalidation is made.
    pub fn run_sync(self, body: impl FnOnce() -> R) -> R {
        self.finish_sync(|_| Finished::of(body()))
    }

    /// As [`judged`](Self::judged), for a sync function.
    pub fn judged_sync(self, judge: impl FnOnce(Finishing<R, T>) -> Finished<R>) -> R {
        self.finish_sync(judge)
    }

    fn finish_sync(mut self, judge: impl FnOnce(Finishing<R, T>) -> Finished<R>) -> R {
        if !timer::may_block() && self.change.is_shared() {
            return self.finish_at_once(judge);
        }
        let refused = timer::block_on(self.change.before(self.refuse.is_some()));
        if let Some(error) = refused
            && let Some(refuse) = self.refuse
        {
            return refuse(error);
        }
        let Finished { output, tags, .. } = judge(Finishing::of(self.value));
        let is_success = (self.value)(&output).is_some();
        timer::block_on(self.change.after(is_success, &tags));
        output
    }

    /// On the thread that the acknowledgement would come from, nothing is waited for: invalidations
    /// are owed, and a mark that must be there cannot be placed.
    fn finish_at_once(mut self, judge: impl FnOnce(Finishing<R, T>) -> Finished<R>) -> R {
        if self.change.spec.when == When::Before {
            self.change.debts.clear();
        }
        if self.change.spec.crash_safe.is_some() {
            let error = Error::new(
                ErrorKind::Store,
                "the mutation could not be guarded against a crash: an observer made it, on the \
                 thread of the connection",
            );
            if let Some(refuse) = self.refuse {
                self.change.debts.iter_mut().for_each(Debt::forgive);
                return refuse(error);
            }
            let reporter = &self.change.cache.0.reporter;
            reporter.counters.unguarded.add();
            reporter.fault("placing the mark of a mutation", &error);
        }
        let Finished { output, tags, .. } = judge(Finishing::of(self.value));
        if self.change.pays((self.value)(&output).is_some()) {
            self.change.learn(&tags);
        } else {
            self.change.debts.iter_mut().for_each(Debt::forgive);
        }
        // Dropped here, the debts are taken on.
        output
    }
}

impl Change {
    /// Whether anyone else is to acknowledge what it invalidates.
    fn is_shared(&self) -> bool {
        let caches = self.debts.iter().map(Debt::cache);
        caches
            .chain([&self.cache])
            .any(|cache| cache.0.shared.is_some())
    }

    /// Whether there is something to invalidate after a body.
    fn pays(&self, is_success: bool) -> bool {
        match self.spec.when {
            When::Before => false,
            When::Always => true,
            // Only an append takes the mark of `crash_safe` away.
            When::Success => self.spec.crash_safe.is_some() || is_success,
        }
    }

    /// What comes before the body: the invalidation of `when = before`, the marks of `crash_safe`.
    /// Where it may refuse and a mark could not be placed, it says why the body must not run.
    async fn before(&mut self, may_refuse: bool) -> Option<Error> {
        if self.spec.when == When::Before {
            self.pay().await;
        }
        let deadline = self.spec.crash_safe?;
        for debt in &mut self.debts {
            if let Err(error) = debt.guard(deadline).await
                && may_refuse
            {
                // What has a mark, or may have one, is invalidated all the same: nothing else ends it.
                self.debts.iter_mut().for_each(Debt::forgive);
                return Some(error);
            }
        }
        None
    }

    /// What comes after the body: the invalidation, unless there is nothing to invalidate.
    async fn after(&mut self, is_success: bool, tags: &[Tag]) {
        if self.pays(is_success) {
            self.learn(tags);
            self.pay().await;
        } else {
            self.debts.iter_mut().for_each(Debt::forgive);
        }
    }

    /// Takes over what the value had to say, to be invalidated in the same step as what was known
    /// before.
    fn learn(&mut self, tags: &[Tag]) {
        if tags.iter().any(Tag::is_empty) {
            misuse(self.spec, &self.cache, EMPTY_TAG);
        }
        let tags: Vec<_> = tags
            .iter()
            .filter(|tag| !tag.is_empty())
            .map(Tag::hash)
            .collect();
        match self.debts.iter_mut().find(|debt| debt.is_for(&self.cache)) {
            Some(debt) => debt.extend(tags),
            None => self.debts.push(Debt::new(&self.cache, tags)),
        }
    }

    async fn pay(&mut self) {
        for debt in &mut self.debts {
            // What could not be acknowledged is owed, counted and reported by the debt itself.
            let _ = debt.pay().await;
        }
    }
}
