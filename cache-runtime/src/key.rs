//! A key while it is written and looked up: bytes packed into words. What the bytes mean is in the
//! submodules: encoded parts, serialized values, template text, and the name that a person or a server sees.

mod name;
mod parts;
mod text;
mod words;

pub use name::Key;
pub(crate) use name::{Digests, bytes, namespace_text, push_readable};
pub use parts::{BySerde, KeyPart, by_serde};
#[doc(hidden)]
pub use parts::{Copied, copied, with};
#[doc(hidden)]
pub use text::{FastText, TemplatePart, Text};
pub(crate) use words::Words;

/// Stands in place of the length in a key that is good for nothing. No key is so long.
const UNUSABLE: u64 = u64::MAX;

/// Words kept without allocation: the length and 72 bytes.
const INLINE: usize = 10;

/// Receives the key of one call.
///
/// To give a type of yours a place in keys, implement [`KeyPart`] and write the fields that
/// identify a value with [`part`](Self::part).
// The bytes are packed little-endian into words, so that a look-up hashes and compares whole
// words. Word 0 is the length in bytes: equal words mean equal bytes, and an append needs no
// other state than it. A key never shrinks, so once it has outgrown `inline`, every append sees
// that from the length alone and goes to `spill`. A key that is good for nothing has `UNUSABLE` for
// a length in `inline`, so every append goes to `spill` too, where the true length is.
#[derive(Clone)]
pub struct KeyWriter {
    inline: [u64; INLINE],
    spill: Vec<u64>,
}

impl KeyWriter {
    /// An empty key.
    #[inline]
    pub(crate) const fn new() -> Self {
        Self {
            inline: [0; INLINE],
            spill: Vec::new(),
        }
    }

    /// Adds the text between the values of a template, as it is.
    #[doc(hidden)]
    #[inline]
    pub fn literal(&mut self, text: &'static str) {
        self.bytes(text.as_bytes());
    }

    /// Adds the text of a template that is not known to the compiler.
    #[cfg(any(test, afresh_fuzzing))]
    pub(crate) fn plain(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Adds a template's value: everything outside `A-Z a-z 0-9 _ . - @ +` is percent-encoded.
    #[doc(hidden)]
    #[inline]
    pub fn text(&mut self, text: &str) {
        text::escape(self, text);
    }

    /// Adds a value, encoded with its type's shape.
    #[inline]
    pub fn part<T: KeyPart + ?Sized>(&mut self, value: &T) {
        value.encode(self);
    }

    /// The length in bytes, then the packed bytes: equal words mean equal keys.
    #[inline]
    pub(crate) fn words(&self) -> &[u64] {
        if self.spill.is_empty() {
            &self.inline[..words_for(self.len())]
        } else {
            &self.spill
        }
    }

    /// Says that this key is good for nothing: another call of the same arguments has another one.
    #[cold]
    fn spoil(&mut self) {
        self.spill_over();
        self.inline[0] = UNUSABLE;
    }

    /// The call that has this key is not to be cached.
    pub(crate) fn is_unusable(&self) -> bool {
        self.inline[0] == UNUSABLE
    }

    /// A hash of the words that nobody can foresee who does not know the seed.
    #[inline]
    pub(crate) fn hash(&self, seed: u64) -> u64 {
        hash(self.words(), seed)
    }

    /// The length in bytes, while the key is in `inline`.
    #[inline]
    fn len(&self) -> usize {
        self.inline[0] as usize
    }

    /// Appends any bytes.
    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.append(u64::from_le_bytes(*word), 8);
        }
        if !rest.is_empty() {
            self.append(load(rest), rest.len());
        }
    }

    /// Appends what another key holds.
    fn again(&mut self, other: &Self) {
        if let Some((len, words)) = other.words().split_first() {
            for (at, word) in words.iter().enumerate() {
                self.append(*word, (*len as usize - at * 8).min(8));
            }
        }
        if other.is_unusable() {
            self.spoil();
        }
    }

    /// Appends the low `count` bytes of `value`, 1 to 8; those above them are zero.
    #[inline]
    fn append(&mut self, value: u64, count: usize) {
        let len = self.len();
        let at = 1 + len / 8;
        if at + 1 < INLINE {
            let shift = len % 8 * 8;
            self.inline[at] |= value << shift;
            // In two steps, because a shift by 64 is not defined.
            self.inline[at + 1] = (value >> 1) >> (63 - shift);
            self.inline[0] = (len + count) as u64;
        } else {
            self.append_spilled(value, count);
        }
    }

    #[cold]
    #[inline(never)]
    fn append_spilled(&mut self, value: u64, count: usize) {
        self.spill_over();
        let len = self.spill[0] as usize;
        let shift = len % 8 * 8;
        if shift == 0 {
            self.spill.push(value);
        } else {
            if let Some(last) = self.spill.last_mut() {
                *last |= value << shift;
            }
            if shift / 8 + count > 8 {
                self.spill.push((value >> 1) >> (63 - shift));
            }
        }
        self.spill[0] = (len + count) as u64;
        if !self.is_unusable() {
            self.inline[0] = self.spill[0];
        }
    }

    /// Moves the key to where there is room for any length, if it is not there yet.
    fn spill_over(&mut self) {
        if self.spill.is_empty() {
            self.spill.reserve(2 * INLINE);
            let words = words_for(self.len());
            self.spill.extend_from_slice(&self.inline[..words]);
        }
    }
}

impl std::fmt::Debug for KeyWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyWriter({})", bytes(self.words()).escape_ascii())
    }
}

/// The seeded hash of a key's words, as [`KeyWriter::hash`].
#[inline]
pub(crate) fn hash(words: &[u64], seed: u64) -> u64 {
    // A folded multiply over pairs, as in wyhash and foldhash. The second operand is masked with
    // something an attacker does not know either, or a chosen word could make the product zero.
    let mask = seed.rotate_left(29) ^ 0x9e37_79b9_7f4a_7c15;
    let Some((len, words)) = words.split_first() else {
        return seed;
    };
    let (pairs, rest) = words.as_chunks::<2>();
    let mut state = seed ^ 0xa076_1d64_78bd_642f;
    for [first, second] in pairs {
        state = fold(state ^ first, mask ^ second);
    }
    if let [last] = rest {
        state = fold(state ^ last, mask);
    }
    fold(state ^ len, mask)
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[inline]
const fn words_for(len: usize) -> usize {
    1 + len.div_ceil(8)
}

/// Up to 7 bytes as a little-endian number, without a loop.
#[inline]
fn load(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        // Where the two overlap, they carry the same bytes.
        return u64::from(first) | u64::from(last) << ((len - 4) * 8);
    }
    if len == 0 {
        return 0;
    }
    let byte = |at: usize| u64::from(bytes[at]) << (at * 8);
    byte(0) | byte(len / 2) | byte(len - 1)
}

#[cfg(test)]
mod tests;
