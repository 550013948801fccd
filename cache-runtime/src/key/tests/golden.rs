//! Frozen bytes. A change here makes every stored entry a miss: it must be meant.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::ffi::OsString;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZero, Saturating, Wrapping};
use std::ops::Bound;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::super::{Digests, Key, KeyPart, Text, bytes, namespace_text, push_readable};
use super::{encoded, key};
use crate::spec::KeyForm;

pub(super) fn hex(bytes: &[u8]) -> String {
    let digits =
        |byte: &u8| [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
    bytes.iter().flat_map(digits).map(char::from).collect()
}

#[track_caller]
pub(super) fn frozen<T: KeyPart + ?Sized>(value: &T, expected: &str) {
    assert_eq!(hex(&encoded(value)), expected.replace(' ', ""));
}

#[test]
fn scalars() {
    frozen(&(), "01");
    frozen(&PhantomData::<str>, "01");
    frozen(&false, "02");
    frozen(&true, "03");
    frozen(&0x12_u8, "10 12");
    frozen(&0x1234_u16, "11 3412");
    frozen(&1_u32, "12 01000000");
    frozen(&1_u64, "13 0100000000000000");
    frozen(&1_usize, "13 0100000000000000");
    frozen(&1_u128, "14 01000000000000000000000000000000");
    frozen(&-1_i8, "18 ff");
    frozen(&-1_i16, "19 ffff");
    frozen(&-1_i32, "1a ffffffff");
    frozen(&-1_i64, "1b ffffffffffffffff");
    frozen(&-1_isize, "1b ffffffffffffffff");
    frozen(&-1_i128, "1c ffffffffffffffffffffffffffffffff");
    frozen(&NonZero::new(7_i32), "05 1a 07000000");
    frozen(&NonZero::new(7_u8), "05 10 07");
    frozen(&NonZero::new(7_usize), "05 13 0700000000000000");
    frozen(&f32::INFINITY, "20 0000807f");
    frozen(&Wrapping(7_u8), "10 07");
    frozen(&Saturating(7_u8), "10 07");
    frozen(&Reverse(7_u8), "10 07");
    frozen(&Ordering::Less, "60 ff");
    frozen(&Ordering::Equal, "60 00");
    frozen(&Ordering::Greater, "60 01");
    frozen(&1.5_f32, "20 0000c03f");
    frozen(&1.5_f64, "21 000000000000f83f");
    frozen(&0.0_f64, "21 0000000000000000");
    frozen(&-0.0_f64, "21 0000000000000080");
    frozen(&f64::NAN, "21 000000000000f87f");
    frozen(&-f64::NAN, "21 000000000000f87f");
    frozen(&f32::from_bits(0xffff_ffff), "20 0000c07f");
    frozen(&'é', "22 e9000000");
    frozen(&Duration::new(1, 2), "50 0100000000000000 02000000");
    frozen(
        &(UNIX_EPOCH + Duration::new(1, 2)),
        "51 0100000000000000 02000000",
    );
    frozen(
        &(UNIX_EPOCH - Duration::new(1, 0)),
        "52 0100000000000000 00000000",
    );
    frozen(&Ipv4Addr::LOCALHOST, "53 7f000001");
    frozen(&IpAddr::from(Ipv4Addr::LOCALHOST), "53 7f000001");
    frozen(&Ipv6Addr::LOCALHOST, "54 00000000000000000000000000000001");
    frozen(&SocketAddr::from(([127, 0, 0, 1], 80)), "55 7f000001 5000");
    frozen(
        &"[::1%3]:80".parse::<SocketAddr>().unwrap(),
        "56 00000000000000000000000000000001 5000 00000000 03000000",
    );
}

#[test]
fn texts_and_bytes() {
    {
        let expected = "30 02 6162";
        frozen("ab", expected);
        frozen(&"ab", expected);
        frozen(&String::from("ab"), expected);
        frozen(&&&String::from("ab"), expected);
        frozen(&Cow::Borrowed("ab"), expected);
        frozen(&Box::<str>::from("ab"), expected);
        frozen(&Rc::<str>::from("ab"), expected);
        frozen(&Arc::<str>::from("ab"), expected);
        frozen(&Arc::new(String::from("ab")), expected);
    }
    frozen("", "30 00");
    frozen(&"x".repeat(127), &format!("30 7f {}", "78".repeat(127)));
    frozen(&"x".repeat(128), &format!("30 8001 {}", "78".repeat(128)));
    frozen(
        &"x".repeat(16384),
        &format!("30 808001 {}", "78".repeat(16384)),
    );
    frozen(Path::new("a/b"), "32 03 612f62");
    frozen(&OsString::from("a"), "32 01 61");
    {
        let expected = "31 02 0708";
        frozen(&[7_u8, 8], expected);
        frozen(&[7_u8, 8][..], expected);
        frozen(&vec![7_u8, 8], expected);
        frozen(&VecDeque::from([7_u8, 8]), expected);
        let mut wrapped = VecDeque::from([8_u8]);
        wrapped.push_front(7);
        frozen(&wrapped, expected);
    }
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_text() {
    use std::os::unix::ffi::OsStrExt as _;
    frozen(std::ffi::OsStr::from_bytes(&[b'a', 0xff]), "33 02 61ff");
}

#[test]
fn compounds() {
    frozen(&None::<u8>, "04");
    frozen(&Some(7_u8), "05 10 07");
    frozen(&Some(&mut 7_u8), "05 10 07");
    frozen(&Some(None::<u8>), "05 04");
    frozen(&Ok::<u8, ()>(7), "06 10 07");
    frozen(&Ok::<u8, Infallible>(7), "06 10 07");
    frozen(&Err::<u8, ()>(()), "07 01");
    frozen(&(7_u8,), "40 01 10 07");
    frozen(&(7_u8, "a"), "40 02 10 07 30 01 61");
    frozen(
        &(1_u8, 2_u8, 3_u8, (), (), (), (), (), (), (), (), ()),
        "40 0c 1001 1002 1003 010101010101010101",
    );
    frozen(&[true, false], "41 02 03 02");
    frozen(&[true, false][..], "41 02 03 02");
    frozen(&vec![true, false], "41 02 03 02");
    frozen(&VecDeque::from([true, false]), "41 02 03 02");
    frozen(&BTreeSet::from([2_u8, 1]), "42 02 1001 1002");
    frozen(&HashSet::from([2_u8, 1]), "42 02 1001 1002");
    frozen(
        &BTreeMap::from([("b", 1_u8), ("a", 2)]),
        "43 02 300161 1002 300162 1001",
    );
    frozen(
        &HashMap::from([("b", 1_u8), ("a", 2)]),
        "43 02 300161 1002 300162 1001",
    );
}

#[test]
fn ranges_and_bounds() {
    frozen(&(1_u8..2), "57 1001 1002");
    frozen(&(1_u8..=2), "58 1001 1002");
    frozen(&(1_u8..), "59 1001");
    frozen(&(..1_u8), "5a 1001");
    frozen(&(..=1_u8), "5b 1001");
    frozen(&(..), "5c");
    frozen(&Bound::Included(1_u8), "5d 1001");
    frozen(&Bound::Excluded(1_u8), "5e 1001");
    frozen(&Bound::<u8>::Unbounded, "5f");
    // What follows the kind is read on, as anywhere.
    assert_eq!(
        readable_parts(&((1_u8.., Bound::Included(2_u8)), Ordering::Less, 3_u8)),
        "1:2:3~dbd61ce8174cf5a96cbd17ee6ec00af7"
    );
}

#[test]
fn the_order_of_a_hash_map_is_not_part_of_its_key() {
    let pairs: Vec<_> = (0..1000_u32).map(|n| (n, n.to_string())).collect();
    let forward: HashMap<_, _> = pairs.iter().cloned().collect();
    let backward: HashMap<_, _> = pairs.iter().rev().cloned().collect();
    assert_eq!(encoded(&forward), encoded(&backward));
    assert_eq!(
        encoded(&forward),
        encoded(&pairs.into_iter().collect::<BTreeMap<_, _>>())
    );
}

#[test]
fn what_derives_write() {
    let written = |write: fn(&mut super::KeyWriter)| hex(&bytes(key(write).words()));
    // `struct { ab: u8, c: () }`
    let structure = written(|k| {
        k.structure(2);
        k.field("ab");
        k.part(&7_u8);
        k.field("c");
        k.part(&());
    });
    assert_eq!(
        structure,
        "4402".to_owned() + "46026162" + "1007" + "460163" + "01"
    );
    // `Ab(7, ())`, `Ab`
    let variant = written(|k| {
        k.variant("Ab");
        k.tuple(2);
        k.part(&7_u8);
        k.part(&());
    });
    assert_eq!(variant, "45024162".to_owned() + "4002" + "1007" + "01");
    let unit = written(|k| {
        k.variant("Ab");
        k.unit();
    });
    assert_eq!(unit, "4502416201");
    assert_eq!(
        hex(&encoded(&(7_u8, ()))),
        written(|k| {
            k.tuple(2);
            k.part(&7_u8);
            k.part(&());
        })
    );
}

fn digest(namespace: &str, version: u32, form: KeyForm, words: &[u64]) -> [u8; 16] {
    Digests::new(namespace, version, form).of(&bytes(words))
}

/// Behind what may stand before it.
fn readable(form: KeyForm, words: &[u64], digest: &[u8; 16]) -> String {
    let mut text = String::from("books/0:");
    push_readable(&mut text, form, &bytes(words), digest);
    text.split_off("books/0:".len())
}

#[track_caller]
pub(super) fn readable_parts<T: KeyPart>(value: &T) -> String {
    let words = key(|k| k.part(value)).words().to_vec();
    readable(
        KeyForm::Parts,
        &words,
        &digest("n", 0, KeyForm::Parts, &words),
    )
}

#[test]
fn readable_parts_are_a_prefix_and_the_digest() {
    assert_eq!(readable_parts(&()), "~072ff7eb66176a31438e69aed649876a");
    assert_eq!(
        readable_parts(&10_i32),
        "10~cf8066f232eb396869e9d00671f0a7dc"
    );
    assert_eq!(
        readable_parts(&(1_u64, "al ice", None::<u8>, true)),
        "1:alice:true~b1b23962b7e03ef051ea091eb20d6507"
    );
    assert_eq!(
        readable_parts(&"x".repeat(1000)),
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx~440fff0a8967c6e15dd629b30468b167"
    );
    let rest = (
        1.5,
        [1_u8, 2],
        Duration::ZERO,
        Ipv4Addr::LOCALHOST,
        -3_i8,
        'c',
        Path::new("a/b"),
    );
    assert_eq!(
        readable_parts(&rest),
        "-3:c:ab~a33391c86e4974d5ebece23fb81a7179"
    );
}

fn readable_text(write: impl FnOnce(&mut super::KeyWriter)) -> String {
    let words = key(write).words().to_vec();
    readable(
        KeyForm::Text,
        &words,
        &digest("n", 0, KeyForm::Text, &words),
    )
}

#[test]
fn a_readable_text_is_itself_or_its_beginning_and_the_digest() {
    let text = |text: String| readable_text(|k| Text(&text).write(k));
    assert_eq!(readable_text(|k| k.literal("book:7")), "book:7");
    assert_eq!(text("x".repeat(200)), "x".repeat(200));
    assert_eq!(
        text("x".repeat(201)),
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx~6b685603dfe1619b7b36434e34e61a98"
    );
    // An escape is kept whole: 62 characters and the next would end behind the cut.
    assert_eq!(
        text(format!("{}é{}", "x".repeat(62), "x".repeat(200))),
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx~f4218c8b420fd1a7593f663a9d721cc5"
    );
    // What must not stand in a Redis key.
    assert_eq!(
        readable_text(|k| k.literal("a {b}~\n")),
        "ab~8027122b370a5ca6d2aaa4e589b7d300"
    );
    assert_eq!(readable_text(|k| k.literal("café")), "café");
}

#[test]
fn digests_cover_everything_that_identifies_a_key() {
    let words = key(|k| k.literal("book:7")).words().to_vec();
    let base = digest("books", 0, KeyForm::Text, &words);
    // printf '\5\0\0\0\0\0\0\0books\0\0\0\0\1book:7' | sha256sum | cut -c-32
    assert_eq!(hex(&base), "b45ad0d9ba651c98d3b78570040fb704");
    assert_ne!(base, digest("books", 1, KeyForm::Text, &words));
    assert_ne!(base, digest("book", 0, KeyForm::Text, &words));
    assert_ne!(base, digest("books", 0, KeyForm::Parts, &words));
    assert_ne!(
        base,
        digest(
            "books",
            0,
            KeyForm::Text,
            key(|k| k.literal("book:8")).words()
        )
    );
}

#[test]
fn names() {
    let key = Key::new("app::books", 3, "book:7");
    assert_eq!(key.as_str(), "app::books@3:book:7");
    assert_eq!(key.to_string(), key.as_str());
    assert_eq!((key.namespace(), key.version()), ("app::books", 3));
    assert_eq!(Key::new("books", 0, "book:7").as_str(), "books:book:7");
    assert_eq!(format!("{key:?}"), "Key(\"app::books@3:book:7\")");
    assert_ne!(Key::new("a@1", 0, "x"), Key::new("a", 1, "x"));
    assert_eq!(namespace_text("app::f<[u8; 2]>"), "app::f<[u8;%202]>");
    assert_eq!(namespace_text("{a}%~\né\u{a0}"), "%7Ba%7D%25%7E%0Aé%C2%A0");
}

#[test]
fn readable_forms_of_any_bytes() {
    // Users may write what they like into a key; its name must still come out.
    for seed in 0..2000_u64 {
        let noise: Vec<u8> = (0..seed % 60)
            .map(|at| {
                (seed
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                    .rotate_left(at as u32 * 7)
                    >> 3) as u8
            })
            .collect();
        let words = key(|k| k.bytes(&noise)).words().to_vec();
        for form in [KeyForm::Text, KeyForm::Parts] {
            let name = readable(form, &words, &[0; 16]);
            assert!(
                name.chars().all(|c| !matches!(c, '\0'..=' ' | '{' | '}')),
                "{name:?}"
            );
        }
    }
}
