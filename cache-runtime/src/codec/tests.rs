//! What goes in comes out, and whatever else comes in is an error.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;

use super::*;

fn codecs() -> impl Iterator<Item = Codec> {
    (0..=255).filter_map(Codec::from_id)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    One(u8),
    Two(i64, String),
    Named { a: Option<bool>, b: Vec<u16> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sample {
    text: String,
    number: i64,
    wide: u128,
    fraction: f64,
    kinds: Vec<Kind>,
    map: BTreeMap<String, u32>,
    shared: Arc<str>,
    nothing: (),
    letter: char,
    pair: (u8, Option<Box<Sample>>),
}

fn sample() -> Sample {
    let kinds = vec![
        Kind::Plain,
        Kind::One(255),
        Kind::Two(i64::MIN, "é".into()),
        Kind::Named {
            a: Some(true),
            b: vec![0, u16::MAX],
        },
    ];
    let inner = Sample {
        text: String::new(),
        number: -1,
        wide: u128::MAX,
        fraction: -0.5,
        kinds: Vec::new(),
        map: BTreeMap::new(),
        shared: "s".into(),
        nothing: (),
        letter: 'é',
        pair: (0, None),
    };
    Sample {
        text: "text".into(),
        kinds,
        map: BTreeMap::from([("a".into(), 1), ("b".into(), u32::MAX)]),
        pair: (7, Some(Box::new(inner.clone()))),
        ..inner
    }
}

#[test]
fn numbers_are_frozen() {
    assert_eq!(Codec::Postcard.id(), 1);
    #[cfg(feature = "json")]
    assert_eq!(Codec::Json.id(), 2);
    #[cfg(feature = "msgpack")]
    assert_eq!(Codec::MessagePack.id(), 3);
    #[cfg(feature = "bincode")]
    assert_eq!(Codec::Bincode.id(), 4);
    assert_eq!(Codec::default(), Codec::Postcard);
    assert_eq!(Codec::from_id(0), None);
    for codec in codecs() {
        assert_eq!(Codec::from_id(codec.id()), Some(codec));
    }
}

#[test]
fn payloads_are_frozen() {
    let value = (1_u32, "ab".to_owned(), Some(-1_i16), Kind::One(7));
    let expected: &[(u8, &[u8])] = &[
        (1, b"\x01\x02ab\x01\x01\x01\x07"),
        (2, br#"[1,"ab",-1,{"One":7}]"#),
        (3, b"\x94\x01\xa2ab\xff\x81\xa3One\x07"),
        (4, b"\x01\x02ab\x01\x01\x01\x07"),
    ];
    for (id, bytes) in expected {
        let Some(codec) = Codec::from_id(*id) else {
            continue;
        };
        assert_eq!(
            encode(&value, codec).unwrap().escape_ascii().to_string(),
            bytes.escape_ascii().to_string()
        );
    }
}

#[test]
fn values_come_back() {
    for codec in codecs() {
        let payload = encode(&sample(), codec).unwrap();
        assert_eq!(
            decode::<Sample>(&payload, codec).unwrap(),
            sample(),
            "{codec:?}"
        );
        let payload = encode(&(), codec).unwrap();
        decode::<()>(&payload, codec).unwrap();
    }
}

#[test]
fn truncated_and_trailing_bytes_are_errors() {
    for codec in codecs() {
        let payload = encode(&sample(), codec).unwrap();
        for len in 0..payload.len() {
            assert!(
                decode::<Sample>(&payload[..len], codec).is_err(),
                "{codec:?} at {len}"
            );
        }
        let longer = [&payload[..], b"1"].concat();
        let error = decode::<Sample>(&longer, codec).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Codec, "{codec:?}");
    }
}

#[test]
fn changed_bytes_never_panic() {
    for codec in codecs() {
        let payload = encode(&sample(), codec).unwrap();
        for at in 0..payload.len() {
            for mask in 1..=255 {
                let mut changed = payload.clone();
                changed[at] ^= mask;
                let _ = decode::<Sample>(&changed, codec);
            }
        }
    }
}

#[test]
fn lengths_are_not_believed() {
    // The greatest lengths that each format can claim, before a few bytes.
    let claims: &[&[u8]] = &[
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01abc",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x7fabc",
        b"\xff\xff\xff\xff\x0fabc",
        b"\xff\xff\xff\xffabc",
        b"\xdf\xff\xff\xff\xffabc",
        b"\xdd\xff\xff\xff\xffabc",
        b"\xdb\xff\xff\xff\xffabc",
        b"\xc6\xff\xff\xff\xffabc",
        b"\xfd\xff\xff\xff\xff\xff\xff\xff\x00abc",
        b"\xfd\xff\xff\xff\xff\xff\xff\xff\xffabc",
        b"\xfc\xff\xff\xff\x7fabc",
        b"\xfd\x00\x00\x00\x00\x01\x00\x00\x00abc",
    ];
    for codec in codecs() {
        for claim in claims {
            assert!(decode::<String>(claim, codec).is_err());
            assert!(decode::<Vec<u64>>(claim, codec).is_err());
            assert!(decode::<Vec<String>>(claim, codec).is_err());
            assert!(decode::<Vec<[u64; 32]>>(claim, codec).is_err());
            assert!(decode::<HashMap<u64, u64>>(claim, codec).is_err());
            assert!(decode::<Box<[u128]>>(claim, codec).is_err());
            assert!(decode::<std::ffi::CString>(claim, codec).is_err());
        }
    }
}

#[cfg(any(feature = "json", feature = "msgpack"))]
#[derive(Debug, Default, Serialize, Deserialize)]
struct Deep(Vec<Deep>);

#[cfg(feature = "json")]
#[test]
fn json_bounds_its_depth() {
    assert!(decode::<Deep>("[".repeat(100_000).as_bytes(), Codec::Json).is_err());
}

#[cfg(feature = "msgpack")]
#[test]
fn message_pack_bounds_its_depth() {
    assert!(decode::<Deep>(&b"\x91".repeat(100_000), Codec::MessagePack).is_err());
    let deep = (0..100).fold(Deep::default(), |inner, _| Deep(vec![inner]));
    let payload = encode(&deep, Codec::MessagePack).unwrap();
    decode::<Deep>(&payload, Codec::MessagePack).unwrap();
}

#[cfg(feature = "bincode")]
#[test]
fn bincode_takes_large_values() {
    let around = |len: usize| [len - 10, len + 10];
    for len in [12, 16, 20].map(|bits| around(1 << bits)).concat() {
        let value = "x".repeat(len);
        let payload = encode(&value, Codec::Bincode).unwrap();
        assert_eq!(
            decode::<String>(&payload, Codec::Bincode).unwrap().len(),
            len
        );
    }
    let value = "x".repeat(20 << 20);
    let payload = encode(&value, Codec::Bincode).unwrap();
    assert!(decode::<String>(&payload, Codec::Bincode).unwrap() == value);
    // What counts most against the limit for its bytes.
    for bits in [12, 16, 20] {
        let numbers = vec![1_u128; (1 << bits) - 8];
        let payload = encode(&numbers, Codec::Bincode).unwrap();
        assert_eq!(
            decode::<Vec<u128>>(&payload, Codec::Bincode).unwrap().len(),
            numbers.len()
        );
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: u8,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    note: Option<String>,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

#[test]
fn self_describing_codecs_carry_flattened_and_skipped_fields() {
    let value = Flat {
        id: 1,
        note: None,
        rest: BTreeMap::from([("a".into(), 1)]),
    };
    for codec in codecs().filter(|codec| [2, 3].contains(&codec.id())) {
        let payload = encode(&value, codec).unwrap();
        assert_eq!(decode::<Flat>(&payload, codec).unwrap(), value, "{codec:?}");
    }
    assert!(encode(&value, Codec::Postcard).is_err());
}
