//! An entry's bytes: as they are, with the checksum made right, and for the key and shape that are
//! asked for. What the codecs make of payloads is tried with types of every kind.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::codec::{self, Codec};
use crate::entry::{self, Stored};

/// The key and the shape that entries are asked for, as in the golden entry.
const KEY: &[u8; 16] = b"the key's digest";
const SHAPE: u64 = 0x0102_0304_0506_0708;

pub(super) fn run(bytes: &[u8]) {
    parsed(bytes);
    let mut bytes = bytes.to_vec();
    if entry::seal(&mut bytes) {
        parsed(&bytes);
        entry::address(&mut bytes, KEY, SHAPE);
        parsed(&bytes);
    }
}

fn parsed(bytes: &[u8]) {
    let Ok(stored) = entry::parse(bytes, KEY, SHAPE) else {
        return;
    };
    let Stored {
        header,
        tags,
        payload,
    } = stored;
    assert_eq!((&header.key, header.shape), (KEY, SHAPE));
    let again = entry::encode(&header, &tags, payload).expect("as many tags as there were");
    assert!(again == bytes, "an entry has one form");
    decoded::<u64>(payload, header.codec);
    decoded::<(bool, char, i128, ())>(payload, header.codec);
    decoded::<Book>(payload, header.codec);
    decoded::<Vec<Vec<String>>>(payload, header.codec);
    decoded::<HashMap<u64, String>>(payload, header.codec);
    decoded::<BTreeMap<String, Option<Vec<u8>>>>(payload, header.codec);
    decoded::<Option<Kind>>(payload, header.codec);
    decoded::<Chain>(payload, header.codec);
}

/// What can be read has the same meaning once it is written and read again.
fn decoded<T>(payload: &[u8], codec: Codec)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let Ok(value) = codec::decode::<T>(payload, codec) else {
        return;
    };
    let again = codec::encode(&value, codec).expect("what was read can be written");
    let again = codec::decode::<T>(&again, codec).expect("and read again");
    assert_eq!(again, value);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Book {
    pub(super) id: u32,
    pub(super) title: String,
    pub(super) authors: Vec<(String, i16)>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    One(u8),
    Two(i64, String),
    Named { a: Option<bool>, b: Vec<u16> },
}

/// As deep as the bytes say.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Chain {
    link: u8,
    next: Option<Box<Chain>>,
}
