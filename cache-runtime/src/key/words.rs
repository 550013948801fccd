//! The words of a key, to be kept: those of most keys in place, so that a look-up that compares them
//! goes to no other piece of memory.

use std::fmt;
use std::ops::Deref;

/// The length and 16 bytes: most keys are no longer, and each entry has the room for it.
const SHORT: usize = 3;

#[derive(Clone)]
pub(crate) struct Words(Kept);

#[derive(Clone)]
enum Kept {
    Short { len: u8, words: [u64; SHORT] },
    Long(Box<[u64]>),
}

impl From<&[u64]> for Words {
    fn from(words: &[u64]) -> Self {
        let mut short = [0; SHORT];
        Self(match short.get_mut(..words.len()) {
            Some(place) => {
                place.copy_from_slice(words);
                Kept::Short {
                    // No more than `SHORT`, as was just seen.
                    len: words.len() as u8,
                    words: short,
                }
            }
            None => Kept::Long(words.into()),
        })
    }
}

impl<const N: usize> From<[u64; N]> for Words {
    fn from(words: [u64; N]) -> Self {
        Self::from(&words[..])
    }
}

impl Deref for Words {
    type Target = [u64];

    #[inline]
    fn deref(&self) -> &[u64] {
        match &self.0 {
            Kept::Short { len, words } => &words[..usize::from(*len).min(SHORT)],
            Kept::Long(words) => words,
        }
    }
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Words {}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn words_are_what_they_were_made_of_however_many_there_are() {
        for count in 0..8 {
            let words: Vec<u64> = (1..=count).collect();
            let kept = Words::from(&words[..]);
            assert_eq!(*kept, words);
            assert_eq!(kept.clone(), kept);
            // Nor is one the beginning of another.
            let more: Vec<u64> = (1..=count).chain([0]).collect();
            assert_ne!(Words::from(&more[..]), kept);
        }
    }

    #[test]
    fn short_keys_take_no_more_room_than_three_words_and_their_number() {
        assert_eq!(size_of::<Words>(), 32);
    }
}
