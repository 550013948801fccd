//! What outdates what, as far as it is written: by tags, by namespaces, and by calls that are
//! named.

use super::{CachedFn, Catalog, Label, MutationFn};

/// How a mutation outdates a cached function.
#[derive(Clone, Copy, Debug)]
pub(super) enum By<'a> {
    /// By a tag of its own, which is likely to be this one of the function's.
    Tag(&'a Label, &'a Label),
    /// By the function's namespace.
    Namespace(&'static str),
    /// By a call of the function in `entries`.
    Entry,
}

/// All that a mutation does to a cached function.
pub(super) fn between<'a>(
    mutation: &'a MutationFn,
    cached: &'a CachedFn,
    catalog: &Catalog,
) -> impl Iterator<Item = By<'a>> {
    let tags = mutation.tags().iter().flat_map(|named| {
        let carried = cached.tags().iter();
        carried
            .filter(|carried| named.is_like(carried))
            .map(|carried| By::Tag(named, carried))
    });
    let namespace = mutation
        .namespaces()
        .find(|name| is_namespace(name, cached))
        .map(By::Namespace);
    let entry = mutation
        .entries()
        .any(|call| catalog.is_called(mutation, call, cached))
        .then_some(By::Entry);
    tags.chain(namespace).chain(entry)
}

/// Whether a function's entries are in a namespace.
pub(super) fn is_namespace(name: &str, cached: &CachedFn) -> bool {
    match cached.namespace() {
        Some(namespace) => namespace == name,
        // Its path, which has more in it than can be known here where it is a method.
        None => {
            name.starts_with(cached.module()) && name.ends_with(&format!("::{}", cached.name()))
        }
    }
}

impl Catalog {
    /// Whether a call in a mutation's `entries` may be one of this function: by its name, and
    /// where several have that, those in the mutation's module go before others.
    pub(super) fn is_called(&self, mutation: &MutationFn, call: &str, cached: &CachedFn) -> bool {
        let name = called(call);
        let is_near = |one: &CachedFn| one.module() == mutation.module();
        name == Some(cached.name())
            && (is_near(cached)
                || !self
                    .cached()
                    .any(|other| Some(other.name()) == name && is_near(other)))
    }
}

/// The function's own name in what is called; none where it is a macro.
pub(super) fn called(call: &str) -> Option<&str> {
    let call = call.split_once("::<").map_or(call, |(path, _)| path);
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let at = call.rfind(|c| !is_name(c)).map_or(0, |at| {
        at + call[at..].chars().next().map_or(0, char::len_utf8)
    });
    let name = &call[at..];
    (!name.is_empty() && !call.contains('!')).then(|| name.trim_start_matches("r#"))
}
