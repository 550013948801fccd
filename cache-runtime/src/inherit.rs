//! What a compute takes over from the cached calls in its body: their tags, so that its value goes
//! when one of theirs does. It gathers; what is done with it is `call`'s.

use std::sync::PoisonError;

use crate::log::Position;
use crate::spec::Place;
use crate::sync::{Mutex, MutexGuard};
use crate::tag::TagHash;

/// As many tags and entries as one value takes over.
const MOST: usize = 64;

/// Gathers what the calls in one body have to say. Shared with the tasks that carry on for it.
#[derive(Debug)]
pub(crate) struct Inherited {
    /// Which cache the compute is for, by its address: tags of another's log mean nothing there.
    cache: usize,
    /// Where the compute noted the log. What it is made of must be known to be current there.
    at: Position,
    taken: Mutex<Taken>,
}

/// What has been gathered. Beyond the bound, what is narrow gives way to what is wide. The lists
/// are short, and each thing is in them once.
#[derive(Debug, Default)]
struct Taken {
    /// Entries, each with the tag of its namespace. Where they are too many, what stands for all
    /// single entries of the namespace takes their place.
    entries: Vec<(TagHash, TagHash)>,
    /// All other tags. Where they are too many, the tag that every invalidation moves takes their
    /// place: nothing narrower is known to cover a tag that somebody wrote.
    tags: Vec<TagHash>,
    /// Whose values were used.
    from: Vec<Place>,
    is_everything: bool,
    is_spoilt: bool,
}

/// What a compute has taken over, all in all.
#[derive(Debug, Default)]
pub(crate) struct Inheritance {
    pub(crate) tags: Vec<TagHash>,
    /// Tags too, in groups: each a mark, a namespace, and entries of it.
    pub(crate) entries: Vec<TagHash>,
    pub(crate) from: Vec<Place>,
    /// There were too many: any invalidation at all outdates the value.
    pub(crate) is_everything: bool,
    /// It is made of something that may have been outdated before it began.
    pub(crate) is_spoilt: bool,
}

impl Inherited {
    /// For a compute of the cache at this address, which noted its log here.
    pub(crate) fn new(cache: usize, at: Position) -> Self {
        Self {
            cache,
            at,
            taken: Mutex::default(),
        }
    }

    pub(crate) fn is_for(&self, cache: usize) -> bool {
        self.cache == cache
    }

    /// Whether what was current at this position was so when the compute began.
    pub(crate) fn admits(&self, at: Position) -> bool {
        at.log == self.at.log && at.head >= self.at.head
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Whatever a panic leaves behind has been added whole.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something went into the compute of which it is not known whether it was current when the
    /// compute began: no position would be true of its value.
    pub(crate) fn spoil(&self) {
        self.taken().is_spoilt = true;
    }

    /// Takes over the tags of a value: those that every entry has, in their order, then those that
    /// are its own, then those that it took over itself.
    pub(crate) fn take(&self, from: Place, tags: &[TagHash]) {
        let mut taken = self.taken();
        if taken.from.len() < MOST {
            add(&mut taken.from, from);
        }
        if taken.is_everything {
            return;
        }
        // Every entry has the first, and so has the compute's own.
        let [_, namespace, key, rest @ ..] = tags else {
            return taken.take_everything();
        };
        taken.take_entry(*namespace, *key);
        let mut groups = rest.split(|tag| *tag == TagHash::entries());
        for &tag in groups.next().unwrap_or_default() {
            add(&mut taken.tags, tag);
        }
        for group in groups {
            if let [namespace, keys @ ..] = group {
                for key in keys {
                    taken.take_entry(*namespace, *key);
                }
            }
        }
        if taken.tags.contains(&TagHash::any()) || taken.tags.len() > MOST {
            taken.take_everything();
        }
    }

    /// What came together. Nothing is gathered for this compute from here on.
    pub(crate) fn finish(&self) -> Inheritance {
        let mut taken = std::mem::take(&mut *self.taken());
        if taken.entries.len() + taken.tags.len() > MOST {
            taken.widen_entries();
        }
        if taken.tags.len() > MOST {
            taken.take_everything();
        }
        // The same value has the same bytes, whatever order its parts were used in.
        taken.tags.sort_unstable();
        taken.entries.sort_unstable();
        let mut entries = Vec::new();
        for group in taken.entries.chunk_by(|one, next| one.0 == next.0) {
            entries.extend([TagHash::entries(), group[0].0]);
            entries.extend(group.iter().map(|entry| entry.1));
        }
        Inheritance {
            tags: taken.tags,
            entries,
            from: taken.from,
            is_everything: taken.is_everything,
            is_spoilt: taken.is_spoilt,
        }
    }
}

impl Taken {
    fn take_entry(&mut self, namespace: TagHash, key: TagHash) {
        add(&mut self.tags, namespace);
        if self.tags.contains(&TagHash::single(namespace)) {
            return;
        }
        add(&mut self.entries, (namespace, key));
        if self.entries.len() > MOST {
            self.widen_entries();
        }
    }

    fn widen_entries(&mut self) {
        for (namespace, _) in std::mem::take(&mut self.entries) {
            add(&mut self.tags, TagHash::single(namespace));
        }
    }

    fn take_everything(&mut self) {
        self.is_everything = true;
        self.entries.clear();
        self.tags = vec![TagHash::any()];
    }
}

fn add<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if !all.contains(&one) {
        all.push(one);
    }
}

#[cfg(test)]
mod tests;
