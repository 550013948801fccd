//! What is called: a function's identity, and what the entry of one call goes by. Worked out on
//! misses only; what all entries of a function have in common is in `names`.

use std::any::TypeId;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use super::Call;
use super::names::{Named, Names};
use crate::inspect::Identity;
use crate::key::{self, Key};
use crate::shared::Slot;
use crate::tag::{Tag, TagHash};

/// A function's identity: its path as the compiler spells it, and the type of a closure in it.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    pub(super) path: &'static str,
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

/// What an entry is called.
#[derive(Debug)]
pub(super) struct Subject {
    names: Named,
    pub(super) digest: [u8; 16],
    pub(super) tag: TagHash,
    /// Where it is shared, if it is.
    pub(super) slot: Option<Arc<Slot>>,
    /// The fingerprint of what is stored there.
    pub(super) shape: u64,
}

impl Subject {
    /// The tags that every entry has, in their order.
    pub(super) fn implicit(&self) -> [TagHash; 3] {
        [TagHash::all(), self.names.tag, self.tag]
    }

    /// What a record of this entry alone moves.
    pub(super) fn record(&self) -> [TagHash; 3] {
        [self.tag, TagHash::single(self.names.tag), TagHash::any()]
    }
}

impl Call {
    pub(super) fn subject(&self) -> &Subject {
        self.subject.get_or_init(|| self.name())
    }

    fn name(&self) -> Subject {
        let names = Names::of(&self.site, &self.spec);
        let key = key::bytes(&self.key.words);
        let digest = names.digests.of(&key);
        let mut shape = 0;
        let slot = match (&self.inner().shared, self.codec) {
            (Some(shared), Some(codec)) if !self.spec.local => {
                let abroad = names.abroad(&self.site, &self.spec, codec);
                if abroad.is_none() {
                    self.misuse(
                        "another cached function has the same path and the same text, so this one \
                         is kept in this process only: give it a `namespace`",
                    );
                }
                abroad.map(|abroad| {
                    shape = abroad.shape;
                    let mut subject = String::with_capacity(abroad.begins.len() + key.len() + 1);
                    subject.push_str(&abroad.begins);
                    key::push_readable(&mut subject, self.spec.key_form, &key, &digest);
                    Arc::new(shared.slot(&subject))
                })
            }
            _ => None,
        };
        Subject {
            tag: TagHash::key(&digest),
            names,
            digest,
            slot,
            shape,
        }
    }

    /// The key inside its namespace, as people see it.
    pub(super) fn readable(&self) -> String {
        let mut readable = String::new();
        let key = key::bytes(&self.key.words);
        key::push_readable(
            &mut readable,
            self.spec.key_form,
            &key,
            &self.subject().digest,
        );
        readable
    }

    pub(super) fn identity(&self) -> Identity {
        let subject = self.subject();
        let key = Key::new(
            &subject.names.namespace,
            self.spec.version,
            &self.readable(),
        );
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
