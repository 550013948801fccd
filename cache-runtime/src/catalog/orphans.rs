//! Tags and namespaces that are written on one side only: most often one of the two is misspelled.

use std::fmt;

use super::links::{self, By};
use super::pattern::Pattern;
use super::{CachedFn, Catalog, Function, Label, MutationFn};

/// A tag or a namespace that is written on one side only: a mutation names it and no cached function
/// carries it, or a cached function carries it and nothing invalidates it.
#[derive(Clone, Debug)]
pub struct Orphan {
    what: What,
    function: Function,
    text: &'static str,
    near: Option<(&'static str, Function)>,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// A mutation's tag.
    Named,
    /// A cached function's tag.
    Carried,
    /// A mutation's namespace.
    Namespace,
}

impl Orphan {
    /// The function that it is written at.
    #[must_use]
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// The tag or the namespace, as it is written.
    #[must_use]
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// Whether it is written at a mutation.
    #[must_use]
    pub fn is_of_mutation(&self) -> bool {
        !matches!(self.what, What::Carried)
    }

    /// What is spelled most like it on the other side, and where, if anything is near.
    #[must_use]
    pub fn near(&self) -> Option<(&'static str, &Function)> {
        self.near.as_ref().map(|(text, function)| (*text, function))
    }

    /// Whether a text with `*` for what may be anything covers it.
    pub(crate) fn is_covered_by(&self, text: &str) -> bool {
        text == self.text || Pattern::with_stars(text).may_be(&Pattern::template(self.text))
    }
}

impl fmt::Display for Orphan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, text, .. } = self;
        let function = function.placed();
        match self.what {
            What::Named => write!(
                f,
                "{function} invalidates `{text}`, which no cached function carries"
            ),
            What::Carried => write!(f, "{function} carries `{text}`, which nothing invalidates"),
            What::Namespace => write!(
                f,
                "{function} invalidates the namespace `{text}`, which no cached function has"
            ),
        }?;
        match self.near() {
            Some((near, function)) => write!(f, "; near: `{near}` of {}", function.placed()),
            None => Ok(()),
        }
    }
}

/// A tag and where it is written.
type Written<'a> = (&'a Function, &'a Label);

impl Catalog {
    /// The tags and namespaces that are written on one side only, those of mutations first.
    ///
    /// An expression whose tags [cannot be seen](Label::is_seen) is no orphan, and could be
    /// anything. So where the other side has one anywhere, a tag is listed only if something is
    /// spelled almost like it and is without its other half, too. A tag of a function that is
    /// invalidated by its namespace or by `entries` is none either.
    #[must_use]
    pub fn orphans(&self) -> Vec<Orphan> {
        let named: Vec<_> = self
            .mutations
            .iter()
            .flat_map(MutationFn::written)
            .collect();
        let carried: Vec<_> = self.cached.iter().flat_map(CachedFn::written).collect();
        let whole = |function: &Function| {
            let cached = self.cached().find(|one| ***one == *function);
            cached.is_some_and(|cached| self.goes_as_a_whole(cached))
        };
        let calls_anything =
            |one: &MutationFn| one.entries().any(|call| links::called(call).is_none());
        let named_unseen = self.mutations().any(calls_anything);
        let named_alone = alone(&named, &carried, false, What::Named);
        let carried_alone = alone(&carried, &named, named_unseen, What::Carried);
        let carried_alone = carried_alone
            .into_iter()
            .filter(|one| !whole(&one.function));
        let namespaces = self.mutations().flat_map(|mutation| {
            let names = mutation.namespaces();
            names.filter_map(|name| self.namespace_alone(mutation, name))
        });
        named_alone
            .into_iter()
            .chain(namespaces)
            .chain(carried_alone)
            .collect()
    }

    /// Whether a mutation outdates all entries of a function, or some by their calls.
    fn goes_as_a_whole(&self, cached: &CachedFn) -> bool {
        let mut all = self
            .mutations()
            .flat_map(|one| links::between(one, cached, self));
        all.any(|by| !matches!(by, By::Tag(..)))
    }

    fn namespace_alone(&self, mutation: &MutationFn, name: &'static str) -> Option<Orphan> {
        if self
            .cached()
            .any(|cached| links::is_namespace(name, cached))
        {
            return None;
        }
        let own = Pattern::text(name);
        let near = self
            .cached()
            .filter_map(|cached| Some((cached, cached.namespace()?)))
            .filter_map(|(cached, text)| Some((own.near(&Pattern::text(text))?, text, cached)))
            .min_by_key(|(distance, ..)| *distance)
            .map(|(_, text, cached)| (text, (**cached).clone()));
        Some(Orphan {
            what: What::Namespace,
            function: (**mutation).clone(),
            text: name,
            near,
        })
    }
}

/// Those of one side that nothing on the other could be.
fn alone(side: &[Written<'_>], other: &[Written<'_>], unseen: bool, what: What) -> Vec<Orphan> {
    let unseen = unseen || other.iter().any(|(_, label)| !label.is_seen());
    let is_alone = |label: &Label, others: &[Written<'_>]| {
        label.is_seen() && !others.iter().any(|(_, other)| label.may_be(other))
    };
    // Two that are without their other half, and almost the same.
    let is_slip = |label: &Label| {
        let mut slips = other.iter().filter(|(_, other)| label.is_slip_of(other));
        slips.any(|(_, slip)| is_alone(slip, side))
    };
    side.iter()
        .filter(|(_, label)| is_alone(label, other) && (!unseen || is_slip(label)))
        .map(|(function, label)| Orphan {
            what,
            function: (**function).clone(),
            text: label.as_str(),
            near: nearest(label, other),
        })
        .collect()
}

fn nearest(label: &Label, others: &[Written<'_>]) -> Option<(&'static str, Function)> {
    others
        .iter()
        .filter_map(|(function, other)| Some((label.near(other)?, *function, other)))
        .min_by_key(|(distance, ..)| *distance)
        .map(|(_, function, other)| (other.as_str(), function.clone()))
}
