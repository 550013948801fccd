//! Mutations: the body, and the invalidation that follows or precedes it, whatever becomes of the
//! future in between.

use std::fmt;

use crate::cache::{Cache, Debt};
use crate::call::{Finished, Finishing};
use crate::error::{Error, ErrorKind};
use crate::inspect;
use crate::spec::{Mutation, When};
use crate::tag::{Tag, TagHash};

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
    pub fn entry<F: Future>(&mut self, call: F) {
        if let Some(identity) = inspect::identify(call) {
            self.add(Some(identity.cache), identity.tag);
            return;
        }
        self.misuse("an element of `entries` is not a call of a cached async function");
        debug_assert!(
            false,
            "`entries` of `{}` ({}:{}): an element is not a call of a cached async function",
            self.spec.name, self.spec.file, self.spec.line
        );
    }

    fn add(&mut self, cache: Option<Cache>, tag: TagHash) {
        let cache = cache.unwrap_or_else(|| self.cache.clone());
        match self
            .debts
            .iter_mut()
            .find(|(known, _)| known.is_same(&cache))
        {
            Some((_, tags)) => tags.push(tag),
            None => self.debts.push((cache, vec![tag])),
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
    spec: &'static Mutation,
    cache: Cache,
    value: fn(&R) -> Option<&T>,
    debts: Vec<Debt>,
}

impl<R, T> fmt::Debug for Mutating<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutating")
            .field("spec", self.spec)
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
        spec,
        cache: targets.cache,
        value,
        debts,
    }
}

impl<R, T> Mutating<R, T> {
    /// Runs the body, and invalidates. What the body returns is returned, whether or not the
    /// invalidation was acknowledged: where it was not, it is kept and tried again.
    pub fn run(self, body: impl Future<Output = R>) -> impl Future<Output = R> {
        self.judged(|finishing| finishing.plain(body))
    }

    /// Runs the body, asks what follows from its value, and invalidates.
    pub async fn judged<J, B>(mut self, judge: J) -> R
    where
        J: FnOnce(Finishing<R, T>) -> B,
        B: Future<Output = Finished<R>>,
    {
        if self.spec.when == When::Before {
            pay(&mut self.debts).await;
        }
        let Finished { output, tags, .. } = judge(Finishing::of(self.value)).await;
        if self.pays_after(&output) {
            self.learn(&tags);
            pay(&mut self.debts).await;
        } else {
            self.debts.iter_mut().for_each(Debt::forgive);
        }
        output
    }

    /// Whether there is something to invalidate after a body that returned this.
    fn pays_after(&self, output: &R) -> bool {
        match self.spec.when {
            When::Before => false,
            When::Always => true,
            When::Success => (self.value)(output).is_some(),
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
}

async fn pay(debts: &mut [Debt]) {
    for debt in debts {
        // What could not be acknowledged is owed, counted and reported by the debt itself.
        let _ = debt.pay().await;
    }
}
