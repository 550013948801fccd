//! What all entries of a function have in common in their names, worked out at its first miss and
//! kept: the register of functions may be long, and paths are. The key of an entry is not its
//! business.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError, RwLock};

use super::Site;
use crate::key::{self, Digests};
use crate::local::Passed;
use crate::output::Vtable;
use crate::spec::{KeyForm, Registered, Spec};
use crate::tag::TagHash;

/// The names of so many functions are kept. Those of more are worked out at each miss: a look-up by
/// hand can have any number as its version.
const MOST: usize = 10_000;

/// A function's part in what its entries go by.
pub(super) struct Names {
    pub(super) namespace: Box<str>,
    /// What every entry of the namespace has as a tag.
    pub(super) tag: TagHash,
    pub(super) digests: Digests,
    /// `None` inside where it has no name that is its own.
    abroad: OnceLock<Option<Abroad>>,
}

/// What it goes by outside this process.
pub(super) struct Abroad {
    /// What its entries' names there begin with: all but the key.
    pub(super) begins: Box<str>,
    /// The fingerprint of what is stored.
    pub(super) shape: u64,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Names({:?})", self.namespace)
    }
}

/// A function's names, kept for good or not.
#[derive(Debug)]
pub(super) enum Named {
    Kept(&'static Names),
    Own(Box<Names>),
}

impl Deref for Named {
    type Target = Names;

    fn deref(&self) -> &Names {
        match self {
            Self::Kept(names) => names,
            Self::Own(names) => names,
        }
    }
}

type Kept = HashMap<Whose, &'static Names, Passed>;

/// Whose names. Look-ups by hand may be one function and have many namespaces and versions.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Whose {
    function: TypeId,
    namespace: Option<&'static str>,
    version: u32,
    form: KeyForm,
}

impl Hash for Whose {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // A type's number is a hash already.
        let mut all = Passed::default();
        self.function.hash(&mut all);
        all.write(self.namespace.unwrap_or_default().as_bytes());
        state.write_u64(all.finish() ^ u64::from(self.version).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    }
}

impl Names {
    /// The names of a function.
    pub(super) fn of(site: &Site, spec: &Spec) -> Named {
        static KEPT: LazyLock<RwLock<Kept>> = LazyLock::new(RwLock::default);
        thread_local! {
            /// Those of them that this thread has met: each miss needs one, and a lock that all
            /// threads take would go from core to core.
            static MET: RefCell<Kept> = RefCell::default();
        }

        let whose = Whose {
            function: site.id,
            namespace: spec.namespace,
            version: spec.version,
            form: spec.key_form,
        };
        let met = MET.try_with(|met| met.borrow().get(&whose).copied());
        if let Ok(Some(names)) = met {
            return Named::Kept(names);
        }
        let meet = |names| {
            // Where the thread ends already, there is nothing to remember.
            let _ = MET.try_with(|met| met.borrow_mut().insert(whose, names));
            Named::Kept(names)
        };
        let kept = KEPT.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = kept.get(&whose) {
            return meet(names);
        }
        // Of functions there are as many as were written: only look-ups by hand have any number.
        let is_full = kept.len() >= MOST && spec.namespace.is_some();
        drop(kept);
        let names = Box::new(Self::new(site, spec));
        if is_full {
            return Named::Own(names);
        }
        // It only grows, by whole entries, which last as long as the process.
        let mut kept = KEPT.write().unwrap_or_else(PoisonError::into_inner);
        meet(kept.entry(whose).or_insert_with(|| Box::leak(names)))
    }

    fn new(site: &Site, spec: &Spec) -> Self {
        let namespace = match spec.namespace {
            Some(namespace) => namespace.to_owned(),
            None => path_of(site.path),
        };
        Self {
            tag: TagHash::namespace(&namespace),
            digests: Digests::new(&namespace, spec.version, spec.key_form),
            namespace: namespace.into(),
            abroad: OnceLock::new(),
        }
    }

    /// What the function goes by outside this process; `None` where another function of this process
    /// goes by it already.
    pub(super) fn abroad(&self, site: &Site, spec: &Spec, codec: &Vtable) -> Option<&Abroad> {
        if let Some(abroad) = self.abroad.get() {
            return abroad.as_ref();
        }
        // Before the lock, which others may wait for: it runs code of the type's own.
        let shape = (codec.shape)();
        let name = match spec.namespace {
            Some(namespace) => Some(namespace.to_owned()),
            None => claimed_name(&self.namespace, site, spec),
        };
        let abroad = name.map(|name| {
            let name = key::namespace_text(&name);
            let begins = format!("{name}/{}/{shape:016x}:", spec.version).into();
            Abroad { begins, shape }
        });
        self.abroad.get_or_init(|| abroad).as_ref()
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

/// [`shared_name`]. `None` where another function of this process goes by it already: the two have one
/// path and one text.
fn claimed_name(path: &str, site: &Site, spec: &Spec) -> Option<String> {
    static OWNERS: LazyLock<Mutex<HashMap<String, TypeId>>> = LazyLock::new(Mutex::default);

    let name = shared_name(path, spec);
    // It only grows, by whole entries.
    let mut owners = OWNERS.lock().unwrap_or_else(PoisonError::into_inner);
    let owner = *owners.entry(name.clone()).or_insert(site.id);
    (owner == site.id).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{Names, path_of};
    use crate::call::site;
    use crate::spec::Spec;

    #[test]
    fn one_look_up_has_other_names_for_each_namespace_and_version() {
        let site = site(&|| ());
        let spec = Spec::new("one", file!(), line!(), 0).namespace("books");
        let digest = |spec: &Spec| Names::of(&site, spec).digests.of(b"key");
        let (books, pages) = (digest(&spec), digest(&spec.namespace("pages")));
        let next = digest(&spec.version(1));
        assert!(books != pages && books != next && pages != next);
        assert_ne!(books, digest(&spec.template()));
        // Kept, and the same each time.
        assert_eq!([books, next], [digest(&spec), digest(&spec.version(1))]);
    }

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
