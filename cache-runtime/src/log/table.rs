//! A bounded map from a tag to the version of its last invalidation, read without a lock. Where a
//! bucket is full, its oldest tag is folded into the bucket's maximum: tags lose precision (an
//! entry may be thought outdated that is not), never correctness.

use std::sync::atomic::Ordering;

use crate::sync::{AtomicBool, AtomicU64};
use crate::tag::TagHash;

/// 32,768 tags in half a megabyte; a few where the tests of interleavings make a table for each
/// schedule, and want buckets that are full.
const WAYS: usize = if cfg!(all(test, afresh_shuttle)) {
    2
} else {
    8
};
const BUCKETS: usize = if cfg!(all(test, afresh_shuttle)) {
    4
} else {
    4_096
};

/// What the table knows of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// The version of its last invalidation.
    Exactly(u64),
    /// It is not here; if it ever was, it had no higher version than this.
    AtMost(u64),
}

impl Known {
    pub(super) fn version(self) -> u64 {
        match self {
            Self::Exactly(version) | Self::AtMost(version) => version,
        }
    }
}

#[derive(Debug, Default)]
struct Bucket {
    /// Hashes of tags; 0 is an empty slot.
    tags: [AtomicU64; WAYS],
    versions: [AtomicU64; WAYS],
    /// The highest version that was folded out of this bucket.
    folded: AtomicU64,
}

/// Readers may run at any time; writers are serialised by the view's lock.
#[derive(Debug)]
pub(super) struct TagTable {
    buckets: Box<[Bucket]>,
    /// Whether a tag that is owed had to be folded.
    saturated: AtomicBool,
}

impl TagTable {
    pub(super) fn new() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| Bucket::default()).collect(),
            saturated: AtomicBool::new(false),
        }
    }

    fn bucket(&self, tag: TagHash) -> &Bucket {
        // The high bits: the low ones would serve as well, but hashes are compared whole anyway.
        &self.buckets[(tag.get() >> 52) as usize % BUCKETS]
    }

    pub(super) fn get(&self, tag: TagHash) -> Known {
        let bucket = self.bucket(tag);
        for (slot, version) in bucket.tags.iter().zip(&bucket.versions) {
            if slot.load(Ordering::Acquire) == tag.get() {
                let version = version.load(Ordering::Acquire);
                if slot.load(Ordering::Acquire) == tag.get() {
                    return Known::Exactly(version);
                }
                // Folded and reused in between: the version may be another tag's.
                break;
            }
        }
        Known::AtMost(bucket.folded.load(Ordering::Acquire))
    }

    /// Sets a tag's version, unless it has a higher one.
    pub(super) fn raise(&self, tag: TagHash, version: u64) {
        match self.get(tag) {
            Known::Exactly(known) if known >= version => {}
            _ => self.set(tag, version),
        }
    }

    /// Sets a tag's version, lower or higher.
    pub(super) fn set(&self, tag: TagHash, version: u64) {
        let bucket = self.bucket(tag);
        let slot_of = |wanted: u64| {
            bucket
                .tags
                .iter()
                .position(|slot| slot.load(Ordering::Acquire) == wanted)
        };
        if let Some(slot) = slot_of(tag.get()) {
            bucket.versions[slot].store(version, Ordering::Release);
            return;
        }
        let slot = slot_of(0).unwrap_or_else(|| self.fold_oldest(bucket));
        bucket.versions[slot].store(version, Ordering::Release);
        bucket.tags[slot].store(tag.get(), Ordering::Release);
    }

    /// Empties the slot of the tag that was invalidated longest ago.
    fn fold_oldest(&self, bucket: &Bucket) -> usize {
        let version_of = |slot: &usize| bucket.versions[*slot].load(Ordering::Acquire);
        let slot = (0..WAYS).min_by_key(version_of).unwrap_or(0);
        let version = version_of(&slot);
        if version == u64::MAX {
            self.saturated.store(true, Ordering::Release);
        }
        // The maximum first: a reader that no longer finds the tag must find this.
        bucket.folded.fetch_max(version, Ordering::AcqRel);
        bucket.tags[slot].store(0, Ordering::Release);
        slot
    }

    pub(super) fn is_saturated(&self) -> bool {
        self.saturated.load(Ordering::Acquire)
    }

    pub(super) fn clear(&self) {
        for bucket in &self.buckets {
            for slot in &bucket.tags {
                slot.store(0, Ordering::Release);
            }
            bucket.folded.store(0, Ordering::Release);
        }
        self.saturated.store(false, Ordering::Release);
    }
}
