//! Every small change of an entry: one byte set, put in or taken out, the end missing, two fields of
//! the header as small or as large as they can be. As it is each is a miss; with the checksum made
//! right it is a miss or an entry for this key and shape, and takes little room to find out.

use std::collections::BTreeSet;

use allocation_counter::measure;
use serde::{Deserialize, Serialize};

use super::*;
use crate::codec;

const DIGEST: &[u8; 16] = b"the key's digest";
const OF_BOOK: u64 = 0x0102_0304_0506_0708;

/// serde makes room for up to 1 MiB of a list's elements before it has seen them; and a little.
const MOST: u64 = (1 << 20) + (96 << 10);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Book {
    id: u32,
    title: String,
    authors: Vec<(String, i16)>,
    loan: Option<Loan>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Loan {
    Shelf,
    Reader { name: String, days: u16 },
}

/// An entry in each codec.
fn entries() -> Vec<Vec<u8>> {
    let loan = Loan::Reader {
        name: "a reader".into(),
        days: 300,
    };
    let book = Book {
        id: 7,
        title: "book 7".into(),
        authors: vec![("a".into(), -1), ("b".into(), 300)],
        loan: Some(loan),
    };
    let entry = |codec| {
        let header = Header {
            log: *b"the log's own id",
            version: 0x1122_3344_5566_7788,
            soft_expiry: 1_000,
            hard_expiry: 2_000,
            compute_micros: 3_000,
            lives: 600,
            ahead: 100,
            key: *DIGEST,
            shape: OF_BOOK,
            codec,
        };
        let tags: Vec<_> = [1, u64::MAX]
            .map(TagHash::from_u64)
            .into_iter()
            .flatten()
            .collect();
        let payload = codec::encode(&book, codec).expect("a payload");
        encode(&header, &tags, &payload).expect("an entry")
    };
    (0..=255).filter_map(Codec::from_id).map(entry).collect()
}

/// Each change, told to `each`.
fn mutated(whole: &[u8], mut each: impl FnMut(Vec<u8>)) {
    for at in 0..whole.len() {
        each(whole[..at].to_vec());
        let without = [&whole[..at], &whole[at + 1..]].concat();
        each(without);
        for byte in (0..=255).filter(|byte| *byte != whole[at]) {
            let mut set = whole.to_vec();
            set[at] = byte;
            each(set);
        }
    }
    for at in 0..=whole.len() {
        for byte in 0..=255 {
            each([&whole[..at], &[byte], &whole[at..]].concat());
        }
    }
}

/// Reads an entry as a look-up does, and sees to what it takes.
fn read(bytes: &[u8]) -> Result<bool, Unreadable> {
    let mut read = Err(Unreadable::Truncated);
    let held = measure(|| read = looked_up(bytes)).bytes_max;
    assert!(held <= MOST, "{held} bytes for {}", bytes.escape_ascii());
    read
}

/// Whether an entry that could be parsed has a value.
fn looked_up(bytes: &[u8]) -> Result<bool, Unreadable> {
    let stored = parse(bytes, DIGEST, OF_BOOK)?;
    assert_eq!((&stored.header.key, stored.header.shape), (DIGEST, OF_BOOK));
    let again = encode(&stored.header, &stored.tags, stored.payload);
    assert!(again.is_ok_and(|again| again == bytes), "it has one form");
    Ok(codec::decode::<Book>(stored.payload, stored.header.codec).is_ok())
}

#[test]
fn every_change_is_a_miss() {
    for whole in entries() {
        assert_eq!(read(&whole), Ok(true));
        let mut changes = 0;
        mutated(&whole, |bytes| {
            assert!(read(&bytes).is_err(), "{}", bytes.escape_ascii());
            changes += 1;
        });
        assert_eq!(changes, whole.len() * (255 + 2 + 256) + 256);
    }
}

#[test]
fn every_change_that_its_writer_sealed_is_a_miss_or_an_entry() {
    let (mut misses, mut entries_of_nothing, mut others) = (0, 0, 0);
    for whole in entries() {
        mutated(&whole, |mut bytes| {
            seal(&mut bytes);
            match read(&bytes) {
                Err(_) => misses += 1,
                Ok(false) => entries_of_nothing += 1,
                Ok(true) => others += 1,
            }
        });
    }
    // Each of them can be told from the others.
    assert!(misses > 0 && entries_of_nothing > 0 && others > 0);
}

#[test]
fn fields_at_their_ends_are_a_miss_or_an_entry() {
    const FIELDS: [(usize, usize); 14] = [
        (0, 3),
        (3, 4),
        (CODEC, FLAGS),
        (FLAGS, TAG_COUNT),
        (TAG_COUNT, LOG),
        (LOG, VERSION),
        (VERSION, SOFT_EXPIRY),
        (SOFT_EXPIRY, HARD_EXPIRY),
        (HARD_EXPIRY, COMPUTE_TIME),
        (COMPUTE_TIME, LIVES),
        (LIVES, AHEAD),
        (AHEAD, KEY),
        (KEY, SHAPE),
        (SHAPE, CHECKSUM),
    ];
    let mut told = BTreeSet::new();
    for whole in entries() {
        for (first, second) in FIELDS.iter().flat_map(|a| FIELDS.map(|b| (*a, b))) {
            for (one, two) in [(0, 0), (0, 255), (255, 0), (255, 255)] {
                let mut bytes = whole.clone();
                bytes[first.0..first.1].fill(one);
                bytes[second.0..second.1].fill(two);
                seal(&mut bytes);
                told.insert(match read(&bytes) {
                    Err(why) => why.to_string(),
                    Ok(has_a_value) => has_a_value.to_string(),
                });
            }
        }
    }
    // Everything but a wrong checksum and a missing end: those are not fields.
    assert_eq!(told.len(), 9, "{told:?}");
}
