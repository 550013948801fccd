//! The local tier: a bounded map from keys to values, kept in this process. It holds values and
//! what is needed to judge them; the judging itself is the log's, and expiry the caller's.

use std::any::{Any, TypeId};
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, PoisonError};

use quick_cache::unsync::Cache as Shard;
use quick_cache::{Equivalent, Lifecycle, OptionsBuilder, Weighter};

use crate::clock::Millis;
use crate::key::Words;
use crate::spec::KeyForm;
use crate::sync::RwLock;

mod entry;

use entry::SLACK;
pub(crate) use entry::{Age, LocalEntry, Term};

/// A value of any type, as it is kept and handed around.
pub(crate) type Value = Arc<dyn Any + Send + Sync>;

/// Which function, or which namespace that functions share on purpose, a key belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Home {
    /// The type of a closure in the function, which no other function has; for a namespace, the
    /// type of what is stored.
    of: TypeId,
    /// The namespace's name; empty for a function.
    name: &'static str,
    version: u32,
    /// Text and encoded parts may have the same bytes.
    form: KeyForm,
}

impl Home {
    #[inline]
    pub(crate) const fn function(of: TypeId) -> Self {
        Self {
            of,
            name: "",
            version: 0,
            form: KeyForm::Parts,
        }
    }

    #[inline]
    pub(crate) const fn namespace(
        name: &'static str,
        version: u32,
        form: KeyForm,
        of: TypeId,
    ) -> Self {
        Self {
            of,
            name,
            version,
            form,
        }
    }

    /// A seed for the hash of its keys. Constant for a function, so that it costs nothing.
    #[inline]
    pub(crate) fn seed(&self) -> u64 {
        let mut hash = Passed::default();
        self.of.hash(&mut hash);
        hash.finish()
    }
}

impl PartialEq for Home {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // A function has no name, and one name has one address, nearly always: comparing the text
        // is for the other times.
        let same_name = || {
            self.name.len() == other.name.len()
                && (self.name.is_empty()
                    || std::ptr::eq(self.name, other.name)
                    || self.name == other.name)
        };
        self.of == other.of
            && self.version == other.version
            && self.form == other.form
            && same_name()
    }
}

impl Eq for Home {}

/// A key as it stands in the map.
#[derive(Clone, Debug)]
pub(crate) struct LocalKey {
    pub(crate) hash: u64,
    pub(crate) home: Home,
    pub(crate) words: Words,
}

/// A key to look up, nothing of it allocated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyRef<'a> {
    pub(crate) hash: u64,
    pub(crate) home: &'a Home,
    pub(crate) words: &'a [u64],
}

impl LocalKey {
    pub(crate) fn as_ref(&self) -> KeyRef<'_> {
        KeyRef {
            hash: self.hash,
            home: &self.home,
            words: &self.words,
        }
    }
}

impl PartialEq for LocalKey {
    fn eq(&self, other: &Self) -> bool {
        self.home == other.home && self.words == other.words
    }
}

impl Eq for LocalKey {}

impl Hash for LocalKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for KeyRef<'_> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Equivalent<LocalKey> for KeyRef<'_> {
    #[inline]
    fn equivalent(&self, key: &LocalKey) -> bool {
        *self.home == key.home && same_words(self.words, &key.words)
    }
}

/// Word by word: for the two or three words of a usual key, faster than a call to `memcmp`.
#[inline]
fn same_words(a: &[u64], b: &[u64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
}

/// Passes on a hash that was computed with the key.
#[derive(Clone, Default)]
pub(crate) struct Passed(u64);

impl Hasher for Passed {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        // Not reached by the keys here, but a hasher that ignored its input would be a trap.
        for &byte in bytes {
            self.0 = (self.0.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
    }
}

impl BuildHasher for Passed {
    type Hasher = Self;

    #[inline]
    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

/// Counts entries, or the bytes they are thought to take.
#[derive(Clone, Copy, Debug)]
struct Weigh {
    /// What an entry weighs at the least, so that the number of entries is bounded too.
    least: u64,
    /// Whether the size counts at all.
    bytes: bool,
}

impl Weighter<LocalKey, LocalEntry> for Weigh {
    fn weight(&self, key: &LocalKey, entry: &LocalEntry) -> u64 {
        if self.bytes {
            (entry.weight + key.words.len() as u64 * 8).max(self.least)
        } else {
            1
        }
    }
}

/// Collects what an insertion pushed out, so that values are dropped after the guard is.
#[derive(Clone, Copy, Debug)]
struct Collect;

impl Lifecycle<LocalKey, LocalEntry> for Collect {
    type RequestState = Vec<LocalEntry>;

    fn on_evict(&self, out: &mut Vec<LocalEntry>, _: LocalKey, entry: LocalEntry) {
        out.push(entry);
    }
}

type LocalShard = Shard<LocalKey, LocalEntry, Weigh, Passed, Collect>;

/// The map, in shards. A hit takes one shard's read guard and nothing else.
pub(crate) struct Local {
    /// Read for every hit, written for a store: a reader never waits for a compute, only for
    /// another key's insertion.
    shards: Box<[RwLock<LocalShard>]>,
    /// Keys come from users: without a secret they could be made to collide.
    seed: u64,
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local")
            .field("shards", &self.shards.len())
            .finish_non_exhaustive()
    }
}

impl Local {
    /// A map of at most about `entries` values, taking at most about `bytes` if that is given.
    pub(crate) fn new(entries: usize, bytes: Option<u64>, seed: u64) -> Self {
        let parallelism = std::thread::available_parallelism().map_or(8, usize::from);
        // Small shards evict badly: below 64 entries each, rather have fewer of them.
        let shards = (parallelism * 4)
            .next_power_of_two()
            .min((entries / 64).max(1));
        let shards = if shards.is_power_of_two() {
            shards
        } else {
            shards.next_power_of_two() / 2
        };
        let per_shard = entries.div_ceil(shards).max(1);
        let weigh = match bytes {
            None => Weigh {
                least: 1,
                bytes: false,
            },
            Some(bytes) => Weigh {
                least: (bytes / entries.max(1) as u64).max(1),
                bytes: true,
            },
        };
        let capacity = match bytes {
            None => per_shard as u64,
            Some(bytes) => bytes.div_ceil(shards as u64).max(1),
        };
        let shard = |_| {
            let options = OptionsBuilder::new()
                .estimated_items_capacity(per_shard)
                .weight_capacity(capacity)
                .build()
                .expect("both capacities are given, which is all that is required");
            RwLock::new(Shard::with_options(
                options,
                weigh,
                Passed::default(),
                Collect,
            ))
        };
        Self {
            shards: (0..shards).map(shard).collect(),
            seed,
        }
    }

    /// The seed for the hashes of keys.
    #[inline]
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    #[inline]
    fn shard(&self, hash: u64) -> &RwLock<LocalShard> {
        // The high half: the map inside the shard goes by the low bits.
        &self.shards[(hash >> 40) as usize & (self.shards.len() - 1)]
    }

    /// Reads the entry of a key under its shard's read guard. `read` must run no user code.
    #[inline]
    pub(crate) fn read<T>(
        &self,
        key: &KeyRef<'_>,
        read: impl FnOnce(&LocalEntry) -> Option<T>,
    ) -> Option<T> {
        let shard = self
            .shard(key.hash)
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        read(shard.get(key)?)
    }

    /// Says of the entry of a key, if it still is the one that ends then, that it is handed out as it
    /// is until some moment.
    pub(crate) fn settle(&self, key: &KeyRef<'_>, expires: Millis, until: Millis, failing: bool) {
        self.read(key, |entry| {
            entry.ends_at(expires).then(|| entry.settle(until, failing))
        });
    }

    /// Stores an entry that was read elsewhere: where it is here already, what is known of it stays.
    pub(crate) fn insert_read(&self, key: LocalKey, entry: LocalEntry) {
        self.insert_over(key, entry, |old, new| {
            new.inherit(old);
            // Read before that was stored, and brought here after it.
            old.at == new.at && old.term().expires > new.term().expires + SLACK
        });
    }

    /// Stores an entry, unless one of the same log with a higher version is there.
    pub(crate) fn insert(&self, key: LocalKey, entry: LocalEntry) {
        self.insert_over(key, entry, |_, _| false);
    }

    /// As [`insert`](Self::insert), unless what is there is to stay.
    fn insert_over(
        &self,
        key: LocalKey,
        entry: LocalEntry,
        stays: impl FnOnce(&LocalEntry, &LocalEntry) -> bool,
    ) {
        let mut evicted = Vec::new();
        {
            let mut shard = self
                .shard(key.hash)
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            let is_newer =
                |old: &LocalEntry| old.at.log == entry.at.log && old.at.head > entry.at.head;
            let old = shard.peek(&key.as_ref());
            if old.is_some_and(|old| is_newer(old) || stays(old, &entry)) {
                evicted.push(entry);
            } else {
                shard.insert_with_lifecycle(key, entry, &mut evicted);
            }
        }
        // Values run their own `Drop` here, with no guard held.
        drop(evicted);
    }

    /// How many entries are kept, current or not.
    pub(crate) fn len(&self) -> usize {
        let count =
            |shard: &RwLock<LocalShard>| shard.read().unwrap_or_else(PoisonError::into_inner).len();
        self.shards.iter().map(count).sum()
    }
}

#[cfg(test)]
mod tests;
