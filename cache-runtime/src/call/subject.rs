//! Who is called: a function's identity, and the names that a call's entry goes by outside this
//! process. Worked out on misses only.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::Call;
use crate::inspect::Identity;
use crate::key::{self, Key};
use crate::shared::Slot;
use crate::tag::{Tag, TagHash};

/// A function's identity: its path as the compiler spells it, and the type of a closure in it.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    path: &'static str,
    pub(crate) id: TypeId,
}

/// The site of the function that this closure stands in.
#[inline]
pub fn site<C>(_: &C) -> Site {
    Site {
        path: std::any::type_name::<C>(),
        id: typeid::of::<C>(),
    }
}

/// The path of the function around a closure, without lifetimes, which mean nothing for a key.
fn path_of(closure: &str) -> String {
    let mut path = closure;
    while let Some(outer) = path.strip_suffix("::{{closure}}") {
        path = outer;
    }
    path.replace("<'_>", "")
        .replace("'_, ", "")
        .replace("&'_ ", "&")
        .replace("::{{closure}}", "")
}

/// What an entry is called.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) namespace: String,
    pub(super) digest: [u8; 16],
    pub(super) readable: String,
    pub(super) tag: TagHash,
    /// Where it is shared, if it is.
    pub(super) slot: Option<Arc<Slot>>,
    /// The fingerprint of what is stored.
    pub(super) shape: u64,
}

/// Which function has taken which path, in this process.
static PATHS: LazyLock<Mutex<HashMap<String, TypeId>>> = LazyLock::new(Mutex::default);

/// Whether this function may go by its path outside this process: two functions in sibling
/// blocks have one path, and must not read each other's entries.
fn owns_path(path: &str, site: &Site) -> bool {
    let mut paths = PATHS.lock().unwrap_or_else(PoisonError::into_inner);
    let owner = *paths.entry(path.to_owned()).or_insert(site.id);
    owner == site.id
}

impl Call {
    pub(super) fn subject(&self) -> &Subject {
        self.subject.get_or_init(|| self.name())
    }

    fn name(&self) -> Subject {
        let namespace = match self.spec.namespace {
            Some(namespace) => namespace.to_owned(),
            None => path_of(self.site.path),
        };
        let (version, form) = (self.spec.version, self.spec.key_form);
        let digest = key::digest(&namespace, version, form, &self.key.words);
        let readable = key::readable(form, &self.key.words, &digest);
        let mut shape = 0;
        let slot = match (&self.inner().shared, self.codec) {
            (Some(shared), Some(codec)) if !self.spec.local && self.is_shared(&namespace) => {
                shape = (codec.shape)();
                let text = key::namespace_text(&namespace);
                Some(Arc::new(
                    shared.slot(&format!("{text}/{version}/{shape:016x}:{readable}")),
                ))
            }
            _ => None,
        };
        Subject {
            tag: TagHash::key(&digest),
            namespace,
            digest,
            readable,
            slot,
            shape,
        }
    }

    fn is_shared(&self, namespace: &str) -> bool {
        if self.spec.namespace.is_some() || owns_path(namespace, &self.site) {
            return true;
        }
        tracing::warn!(
            target: "afresh",
            function = namespace,
            file = self.spec.file,
            line = self.spec.line,
            "two cached functions have this path, so this one is kept in this process only: give \
             it a `namespace` of its own"
        );
        false
    }

    pub(super) fn identity(&self) -> Identity {
        let subject = self.subject();
        let key = Key::new(&subject.namespace, self.spec.version, &subject.readable);
        Identity {
            cache: self.cache.clone(),
            key,
            tag: subject.tag,
        }
    }

    /// Takes over what the arguments had to say. An entry with an empty tag is one that nobody
    /// could invalidate by it: it is not stored.
    pub(super) fn plan(&mut self, ttl: Option<std::time::Duration>, tags: &[Tag]) {
        self.ttl = ttl.or(self.inner().default_ttl);
        if tags.iter().any(Tag::is_empty) {
            self.misuse("a tag is empty, so the value is not stored: give each tag a text");
            self.ttl = Some(std::time::Duration::ZERO);
        }
        if self.ttl.is_none() {
            self.misuse(
                "it names no `ttl` and the cache has no `default_ttl`, so its values are not stored",
            );
        }
        let subject = self.subject();
        let implicit = [
            TagHash::all(),
            TagHash::namespace(&subject.namespace),
            subject.tag,
        ];
        self.tags = implicit
            .into_iter()
            .chain(tags.iter().map(Tag::hash))
            .collect();
    }

    /// Reports a mistake in the use of this function, once per function and mistake.
    pub(super) fn misuse(&self, what: &'static str) {
        use crate::error::{Error, ErrorKind};
        static TOLD: LazyLock<Mutex<HashSet<(TypeId, &'static str)>>> =
            LazyLock::new(Mutex::default);

        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert((self.site.id, what)) {
            drop(told);
            let place = format!(
                "`{}` at {}:{}",
                self.spec.name, self.spec.file, self.spec.line
            );
            let error = Error::new(ErrorKind::Config, format!("{place}: {what}"));
            self.inner().reporter.misuse(
                "a cached function is used in a way that cannot work",
                &error,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn a_path_is_that_of_the_function_without_lifetimes() {
        assert_eq!(
            path_of("shop::book::{{closure}}::{{closure}}"),
            "shop::book"
        );
        assert_eq!(
            path_of("<shop::Db<'_> as shop::Books>::get::{{closure}}"),
            "<shop::Db as shop::Books>::get"
        );
        assert_eq!(
            path_of("shop::page<&'_ str>::{{closure}}"),
            "shop::page<&str>"
        );
    }
}
