//! What invalidates what: the annotated functions of a program, from what is written at them. It
//! reads the register and what was seen of nested computes; it knows no cache and no entry.

mod function;
mod graph;
mod inherited;
mod label;
mod links;
mod orphans;
mod pattern;
mod table;

pub use self::function::{CachedFn, Function, MutationFn};
pub(crate) use self::inherited::inherited;
pub use self::label::Label;
pub use self::orphans::Orphan;
use crate::spec::{Kind, Place, Registered};

/// The annotated functions of this program, and what invalidates what.
///
/// `Display` is a table; [`mermaid`](Self::mermaid) and [`dot`](Self::dot) are pictures.
#[derive(Clone, Debug)]
pub struct Catalog {
    cached: Vec<CachedFn>,
    mutations: Vec<MutationFn>,
    /// Outer and inner, by their places in `cached`.
    inherited: Vec<(usize, usize)>,
}

/// The annotated functions of this program: of each crate that it is linked from, each function
/// once, however many types it is instantiated for.
#[must_use]
pub fn catalog() -> Catalog {
    Catalog::new(Registered::all(), &inherited::seen())
}

impl Catalog {
    fn new(
        registered: impl Iterator<Item = &'static Registered>,
        inherited: &[(Place, Place)],
    ) -> Self {
        let mut all: Vec<_> = registered.map(Function::new).collect();
        all.sort_by_key(|one| (one.module(), one.name(), one.file(), one.line()));
        let of_kind = |kind| all.iter().filter(move |one| one.kind() == kind).cloned();
        let cached: Vec<_> = of_kind(Kind::Cached).map(CachedFn::new).collect();
        let find = |place: &Place| cached.iter().position(|one| one.place() == *place);
        let inherited = inherited
            .iter()
            .filter_map(|(outer, inner)| Some((find(outer)?, find(inner)?)))
            .collect();
        Self {
            inherited,
            mutations: of_kind(Kind::Mutation).map(MutationFn::new).collect(),
            cached,
        }
    }

    /// The cached functions, by module and name.
    pub fn cached(&self) -> impl Iterator<Item = &CachedFn> {
        self.cached.iter()
    }

    /// The mutations, by module and name.
    pub fn mutations(&self) -> impl Iterator<Item = &MutationFn> {
        self.mutations.iter()
    }

    /// The mutations that name something of a cached function: a tag, its namespace, a call of it.
    /// What it takes over from inner functions is not in it.
    pub fn invalidating<'a>(
        &'a self,
        cached: &'a CachedFn,
    ) -> impl Iterator<Item = &'a MutationFn> {
        self.mutations
            .iter()
            .filter(|one| links::between(one, cached, self).next().is_some())
    }

    /// The cached functions whose values were used in computes of this one, in this process so far.
    pub fn inner<'a>(&'a self, outer: &'a CachedFn) -> impl Iterator<Item = &'a CachedFn> {
        self.inherited
            .iter()
            .map(|(outer, inner)| (&self.cached[*outer], &self.cached[*inner]))
            .filter(|(one, _)| ***one == **outer)
            .map(|(_, inner)| inner)
    }

    /// Whether there is no annotated function.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cached.is_empty() && self.mutations.is_empty()
    }

    /// What a function is called here: its path, without the crate where all are of one.
    fn shown(&self, function: &Function) -> String {
        let path = function.path();
        let cached = self.cached().map(|one| one.krate());
        let mut crates = cached.chain(self.mutations().map(|one| one.krate()));
        let is_of_it = |krate| krate == function.krate();
        match path.split_once("::") {
            Some((_, rest)) if crates.all(is_of_it) => rest.to_owned(),
            _ => path,
        }
    }
}

#[cfg(test)]
mod tests;
