//! What keys are made of: frozen bytes, one text for each value, no two values with one key.

mod by_serde;
mod golden;
mod injective;
#[cfg(any(feature = "uuid", feature = "chrono", feature = "jiff"))]
mod others;
mod templates;

use super::{KeyPart, KeyWriter, Words, bytes, hash};

fn key(write: impl FnOnce(&mut KeyWriter)) -> KeyWriter {
    let mut key = KeyWriter::new();
    write(&mut key);
    key
}

fn encoded<T: KeyPart + ?Sized>(value: &T) -> Vec<u8> {
    bytes(key(|k| k.part(value)).words())
}

fn text(write: impl FnOnce(&mut KeyWriter)) -> String {
    String::from_utf8(bytes(key(write).words())).unwrap()
}

#[test]
fn appends_are_the_bytes_appended() {
    // Every alignment of every length, inside the inline words and far beyond them.
    let source: Vec<u8> = (0..=255).collect();
    for before in 0..100 {
        for len in 0..100 {
            let mut key = KeyWriter::new();
            key.bytes(&source[..before]);
            key.bytes(&source[before..before + len]);
            key.bytes(&[0xff]);
            let expected = [&source[..before + len], &[0xff]].concat();
            assert_eq!(bytes(key.words()), expected, "{before} + {len}");
            assert_eq!(key.words()[0] as usize, expected.len());
            assert_eq!(key.words().len(), 1 + expected.len().div_ceil(8));
            assert_eq!(*Words::from(key.words()), *key.words());
            let mut again = KeyWriter::new();
            again.bytes(&source[..before]);
            again.again(&key);
            let expected = [&source[..before], &expected].concat();
            assert_eq!(bytes(again.words()), expected, "{before} + {len}, again");
        }
    }
}

#[test]
fn words_depend_on_the_bytes_alone() {
    for len in 0..200_u8 {
        let source: Vec<u8> = (0..len).collect();
        let at_once = key(|k| k.bytes(&source));
        for step in 1..9 {
            let in_steps = key(|k| source.chunks(step).for_each(|chunk| k.bytes(chunk)));
            assert_eq!(in_steps.words(), at_once.words());
        }
    }
}

#[test]
fn trailing_zeros_count() {
    let keys: Vec<_> = (0..200)
        .map(|len| key(|k| k.bytes(&vec![0; len])))
        .collect();
    for (at, a) in keys.iter().enumerate() {
        for b in &keys[at + 1..] {
            assert_ne!(a.words(), b.words());
            assert_ne!(a.hash(7), b.hash(7));
        }
    }
}

#[test]
fn hashes_spread_over_all_bits() {
    // 4096 keys that differ in a digit: no bit may be much more often set than not, whichever
    // bits a map takes.
    for seed in [0, 1, 0x1234_5678_9abc_def0, u64::MAX] {
        let mut set = [0_u32; 64];
        for id in 0..4096_u32 {
            let hash = key(|k| {
                k.literal("book:");
                super::Text(&id).write(k);
            })
            .hash(seed);
            for (bit, set) in set.iter_mut().enumerate() {
                *set += (hash >> bit & 1) as u32;
            }
        }
        // Six standard deviations around a half.
        assert!(
            set.iter().all(|set| (1856..=2240).contains(set)),
            "seed {seed}: {set:?}"
        );
    }
}

#[test]
fn hashes_depend_on_the_seed_and_on_every_word() {
    let words = [24_u64, 1, 2, 3];
    assert_ne!(hash(&words, 1), hash(&words, 2));
    for at in 0..words.len() {
        for bit in 0..64 {
            let mut other = words;
            other[at] ^= 1 << bit;
            assert_ne!(hash(&words, 1), hash(&other, 1));
        }
    }
}
