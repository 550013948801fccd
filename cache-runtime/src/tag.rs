//! Tags, and the 64-bit hashes by which entries and the log know them. Hashes are the same in
//! every process; two tags with one hash would be invalidated together, which costs misses only.

mod register;
mod typed;

use std::borrow::Cow;
use std::fmt;
use std::num::NonZero;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64_with_seed;

pub use self::register::TypedTags;
pub use self::typed::{TagPart, tag_value};

/// A label on entries, by which they are invalidated together. An exact string.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Box<str>);

impl Tag {
    /// The tag's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text. Such a tag is refused where it is used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn hash(&self) -> TagHash {
        TagHash::tag(&self.0)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({:?})", self.0)
    }
}

impl AsRef<str> for Tag {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Tag {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<&&str> for Tag {
    fn from(text: &&str) -> Self {
        Self((*text).into())
    }
}

impl From<String> for Tag {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&String> for Tag {
    fn from(text: &String) -> Self {
        Self(text.as_str().into())
    }
}

impl From<Box<str>> for Tag {
    fn from(text: Box<str>) -> Self {
        Self(text)
    }
}

impl From<Arc<str>> for Tag {
    fn from(text: Arc<str>) -> Self {
        Self((*text).into())
    }
}

impl From<Cow<'_, str>> for Tag {
    fn from(text: Cow<'_, str>) -> Self {
        Self(text.into())
    }
}

impl From<fmt::Arguments<'_>> for Tag {
    fn from(text: fmt::Arguments<'_>) -> Self {
        match text.as_str() {
            Some(text) => Self(text.into()),
            None => Self(text.to_string().into()),
        }
    }
}

impl From<&Tag> for Tag {
    fn from(tag: &Tag) -> Self {
        tag.clone()
    }
}

/// What entries and the log carry for a tag. Besides the tags that users write there are three
/// kinds that each entry has by itself, and three that values have that are made of others; a seed
/// per kind keeps them apart. Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TagHash(NonZero<u64>);

// The seeds are part of the stored format. They spell the kind in ASCII.
const TAG: u64 = u64::from_be_bytes(*b"afresh-t");
const ALL: u64 = u64::from_be_bytes(*b"afresh-a");
const NAMESPACE: u64 = u64::from_be_bytes(*b"afresh-n");
const KEY: u64 = u64::from_be_bytes(*b"afresh-k");
const SINGLE: u64 = u64::from_be_bytes(*b"afresh-s");
const ANY: u64 = u64::from_be_bytes(*b"afresh-y");
const ENTRIES: u64 = u64::from_be_bytes(*b"afresh-e");

impl TagHash {
    /// A tag that a user wrote.
    pub(crate) fn tag(text: &str) -> Self {
        Self::seeded(text.as_bytes(), TAG)
    }

    /// The tag of every entry.
    pub(crate) fn all() -> Self {
        Self::seeded(&[], ALL)
    }

    /// The tag of every entry of a namespace, of whatever version.
    pub(crate) fn namespace(namespace: &str) -> Self {
        Self::seeded(namespace.as_bytes(), NAMESPACE)
    }

    /// The tag of one entry, by its key's digest.
    pub(crate) fn key(digest: &[u8; 16]) -> Self {
        Self::seeded(digest, KEY)
    }

    /// What the invalidation of any single entry moves, by its namespace: for values that are made of
    /// more of them than can be named.
    pub(crate) fn single(namespace: Self) -> Self {
        Self::seeded(&namespace.get().to_be_bytes(), SINGLE)
    }

    /// What every invalidation moves: for values that are made of more than can be named.
    pub(crate) fn any() -> Self {
        Self::seeded(&[], ANY)
    }

    /// What nothing moves: among the tags that a value has taken over, a namespace and entries of it
    /// follow.
    pub(crate) fn entries() -> Self {
        Self::seeded(&[], ENTRIES)
    }

    /// A hash as it was stored; `None` where no hash can be.
    pub(crate) fn from_u64(hash: u64) -> Option<Self> {
        NonZero::new(hash).map(Self)
    }

    pub(crate) fn get(self) -> u64 {
        self.0.get()
    }

    fn seeded(bytes: &[u8], seed: u64) -> Self {
        Self(NonZero::new(xxh3_64_with_seed(bytes, seed)).unwrap_or(NonZero::<u64>::MIN))
    }
}

#[cfg(test)]
mod tests;
