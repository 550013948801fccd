//! What a compute takes over from the cached calls in its body: their tags, so that its value goes
//! when one of theirs does. It gathers; what is done with it is `call`'s.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::spec::Place;
use crate::tag::TagHash;

/// As many tags as one value takes over.
const MOST: usize = 64;

/// Gathers what the calls in one body have to say. Shared with the tasks that carry on for it.
#[derive(Debug)]
pub(crate) struct Inherited {
    /// Which cache the compute is for, by its address: tags of another's log mean nothing there.
    cache: usize,
    taken: Mutex<Taken>,
}

/// What has been gathered. Beyond the bound, what is narrow gives way to what is wide.
#[derive(Debug, Default)]
struct Taken {
    /// Entries, each with the tag of its namespace. Where they are too many, what stands for all
    /// single entries of the namespace takes their place.
    keys: HashSet<(TagHash, TagHash)>,
    /// All other tags. Where they are too many, the tag that every invalidation moves takes their
    /// place: nothing narrower is known to cover a tag that somebody wrote.
    tags: HashSet<TagHash>,
    /// Whose values were used.
    from: HashSet<Place>,
    is_everything: bool,
}

/// What a compute has taken over, all in all.
#[derive(Debug, Default)]
pub(crate) struct Inheritance {
    pub(crate) tags: Vec<TagHash>,
    pub(crate) from: Vec<Place>,
    /// There were too many: any invalidation at all outdates the value.
    pub(crate) is_everything: bool,
}

impl Inherited {
    /// For a compute of the cache at this address.
    pub(crate) fn new(cache: usize) -> Self {
        Self {
            cache,
            taken: Mutex::default(),
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Whatever a panic leaves behind has been added whole.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over the tags of a value: those that every entry has, in their order, and the rest.
    pub(crate) fn take(&self, cache: usize, from: Place, tags: &[TagHash]) {
        if cache != self.cache {
            return;
        }
        let mut taken = self.taken();
        if taken.from.len() < MOST {
            taken.from.insert(from);
        }
        if taken.is_everything {
            return;
        }
        // Every entry has the first, and so has the compute's own.
        let [_, namespace, key, rest @ ..] = tags else {
            return taken.take_everything();
        };
        if rest.contains(&TagHash::any()) {
            return taken.take_everything();
        }
        let single = TagHash::single(*namespace);
        if !taken.tags.contains(&single) {
            taken.keys.insert((*namespace, *key));
        }
        taken.tags.insert(*namespace);
        taken.tags.extend(rest);
        if taken.keys.len() > MOST {
            taken.widen_keys();
        }
        if taken.tags.len() > MOST {
            taken.take_everything();
        }
    }

    /// What came together. Nothing is gathered for this compute from here on.
    pub(crate) fn finish(&self) -> Inheritance {
        let mut taken = std::mem::take(&mut *self.taken());
        if taken.keys.len() + taken.tags.len() > MOST {
            taken.widen_keys();
        }
        if taken.tags.len() > MOST {
            taken.take_everything();
        }
        let keys = taken.keys.into_iter().map(|(_, key)| key);
        let mut tags: Vec<_> = keys.chain(taken.tags).collect();
        // The same entry has the same bytes, whatever order its parts were used in.
        tags.sort_unstable();
        Inheritance {
            tags,
            from: taken.from.into_iter().collect(),
            is_everything: taken.is_everything,
        }
    }
}

impl Taken {
    fn widen_keys(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        let singles = keys
            .into_iter()
            .map(|(namespace, _)| TagHash::single(namespace));
        self.tags.extend(singles);
    }

    fn take_everything(&mut self) {
        self.is_everything = true;
        self.keys.clear();
        self.tags = HashSet::from([TagHash::any()]);
    }
}

#[cfg(test)]
mod tests;
