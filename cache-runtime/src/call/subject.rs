//! Who is called: a function's identity, and the names that a call's entry goes by outside this
//! process. Worked out on misses only.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use super::Call;
use crate::inspect::Identity;
use crate::key::{self, Key};
use crate::shared::Slot;
use crate::spec::{Registered, Spec};
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

impl Subject {
    /// The tags that every entry has, in their order.
    pub(super) fn implicit(&self) -> [TagHash; 3] {
        let namespace = TagHash::namespace(&self.namespace);
        [TagHash::all(), namespace, self.tag]
    }

    /// What a record of this entry alone moves.
    pub(super) fn record(&self) -> [TagHash; 3] {
        let namespace = TagHash::namespace(&self.namespace);
        [self.tag, TagHash::single(namespace), TagHash::any()]
    }
}

/// What a function that names no namespace goes by outside this process: its path.
///
/// Where another annotated function of its module has its name (methods of two types, or functions
/// in sibling blocks, which even have one path), its text is part of it, so that in no process one
/// reads the other's entries.
fn shared_name(path: &str, spec: &Spec) -> String {
    let is_this =
        |one: &&Registered| one.name == spec.name && one.file == spec.file && one.text == spec.text;
    let Some(this) = Registered::cached().find(is_this) else {
        return path.to_owned();
    };
    let is_twin = |one: &&Registered| one.name == this.name && one.module == this.module;
    if Registered::cached().filter(is_twin).count() == 1 {
        path.to_owned()
    } else {
        format!("{path}#{:08x}", this.text)
    }
}

/// [`shared_name`], worked out once per function: the register may be long. `None` where another
/// function of this process goes by it already: the two have one path and one text.
fn claimed_name(path: &str, site: &Site, spec: &Spec) -> Option<String> {
    #[derive(Default)]
    struct Claims {
        names: HashMap<TypeId, String>,
        owners: HashMap<String, TypeId>,
    }
    static CLAIMS: LazyLock<Mutex<Claims>> = LazyLock::new(Mutex::default);

    // Both maps only grow, each by whole entries.
    let mut claims = CLAIMS.lock().unwrap_or_else(PoisonError::into_inner);
    let Claims { names, owners } = &mut *claims;
    let name = names
        .entry(site.id)
        .or_insert_with(|| shared_name(path, spec));
    let owner = *owners.entry(name.clone()).or_insert(site.id);
    (owner == site.id).then(|| name.clone())
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
            (Some(shared), Some(codec)) if !self.spec.local => {
                self.abroad(&namespace).map(|name| {
                    shape = (codec.shape)();
                    let name = key::namespace_text(&name);
                    Arc::new(shared.slot(&format!("{name}/{version}/{shape:016x}:{readable}")))
                })
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

    /// What this function's namespace is called outside this process.
    fn abroad(&self, namespace: &str) -> Option<String> {
        if self.spec.namespace.is_some() {
            return Some(namespace.to_owned());
        }
        let name = claimed_name(namespace, &self.site, &self.spec);
        if name.is_none() {
            self.misuse(
                "another cached function has the same path and the same text, so this one is kept \
                 in this process only: give it a `namespace`",
            );
        }
        name
    }

    pub(super) fn identity(&self) -> Identity {
        let subject = self.subject();
        let key = Key::new(&subject.namespace, self.spec.version, &subject.readable);
        let [tag, single, _] = subject.record();
        Identity {
            cache: self.cache.clone(),
            key,
            tags: [tag, single],
        }
    }

    /// Takes over what the arguments had to say. An entry with an empty tag is one that nobody
    /// could invalidate by it: it is not stored.
    pub(super) fn plan(&mut self, ttl: Option<Duration>, follows: bool, tags: &[Tag]) {
        self.ttl = if follows {
            None
        } else {
            ttl.or(self.inner().default_ttl)
        };
        if tags.iter().any(Tag::is_empty) {
            self.misuse("a tag is empty, so the value is not stored: give each tag a text");
            self.ttl = Some(Duration::ZERO);
        }
        if self.ttl.is_none() && !follows {
            self.misuse(
                "it names no `ttl` and the cache has no `default_ttl`, so its values are not stored",
            );
        }
        let implicit = self.subject().implicit();
        self.tags = implicit
            .into_iter()
            .chain(tags.iter().map(Tag::hash))
            .collect();
    }

    /// Takes over how long the value said that it lives.
    pub(super) fn lives_for(&mut self, ttl: Duration) {
        // Where it was found that nothing is to be stored, it stays at that.
        self.ttl.get_or_insert(ttl);
    }

    /// Takes over what the value had to say, before anyone else sees it.
    pub(super) fn learn(&mut self, tags: &[Tag]) {
        if tags.is_empty() {
            return;
        }
        if tags.iter().any(Tag::is_empty) {
            self.misuse(
                "a tag of `result_tags` is empty, so the value is not stored: give each tag a text",
            );
            self.ttl = Some(Duration::ZERO);
        }
        self.add_tags(tags.iter().map(Tag::hash));
    }

    /// More tags, each of them once.
    pub(super) fn add_tags(&mut self, tags: impl IntoIterator<Item = TagHash>) {
        let mut all = self.tags.to_vec();
        let known = all.len();
        for tag in tags {
            if !all.contains(&tag) {
                all.push(tag);
            }
        }
        if all.len() > known {
            self.tags = all.into();
        }
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
