//! Sequences, sets and maps as key parts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::{KeyPart, tag};
use crate::key::{KeyWriter, bytes};

impl<T: KeyPart> KeyPart for [T] {
    #[inline]
    fn encode(&self, key: &mut KeyWriter) {
        T::encode_slices(self, &[], key);
    }
}

impl<T: KeyPart, const N: usize> KeyPart for [T; N] {
    #[inline]
    fn encode(&self, key: &mut KeyWriter) {
        T::encode_slices(self, &[], key);
    }
}

impl<T: KeyPart> KeyPart for Vec<T> {
    #[inline]
    fn encode(&self, key: &mut KeyWriter) {
        T::encode_slices(self, &[], key);
    }
}

impl<T: KeyPart> KeyPart for VecDeque<T> {
    fn encode(&self, key: &mut KeyWriter) {
        let (first, second) = self.as_slices();
        T::encode_slices(first, second, key);
    }
}

/// Writes members in the order of their bytes, so that the collection's own order is not part of
/// the key. Also for ordered collections: the same content is then the same key.
fn unordered<T>(
    key: &mut KeyWriter,
    tag: u8,
    members: impl ExactSizeIterator<Item = T>,
    encode: impl Fn(T, &mut KeyWriter),
) {
    key.head(tag, members.len());
    let mut unusable = false;
    let mut encoded: Vec<Vec<u8>> = members
        .map(|member| {
            let mut alone = KeyWriter::new();
            encode(member, &mut alone);
            unusable |= alone.is_unusable();
            bytes(alone.words())
        })
        .collect();
    encoded.sort_unstable();
    for member in encoded {
        key.bytes(&member);
    }
    if unusable {
        key.spoil();
    }
}

impl<T: KeyPart> KeyPart for BTreeSet<T> {
    fn encode(&self, key: &mut KeyWriter) {
        unordered(key, tag::SET, self.iter(), T::encode);
    }
}

impl<T: KeyPart, S> KeyPart for HashSet<T, S> {
    fn encode(&self, key: &mut KeyWriter) {
        unordered(key, tag::SET, self.iter(), T::encode);
    }
}

fn encode_pair<K: KeyPart, V: KeyPart>((name, value): (&K, &V), key: &mut KeyWriter) {
    name.encode(key);
    value.encode(key);
}

impl<K: KeyPart, V: KeyPart> KeyPart for BTreeMap<K, V> {
    fn encode(&self, key: &mut KeyWriter) {
        unordered(key, tag::MAP, self.iter(), encode_pair);
    }
}

impl<K: KeyPart, V: KeyPart, S> KeyPart for HashMap<K, V, S> {
    fn encode(&self, key: &mut KeyWriter) {
        unordered(key, tag::MAP, self.iter(), encode_pair);
    }
}
