//! What a shape depends on, what it does not, and types that are hard to trace.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, de};

use super::*;

/// Several types of one serde name, each in a module of its own.
macro_rules! versions {
    ($($module:ident: $item:item)*) => {$(
        mod $module {
            use super::*;
            #[derive(Deserialize)]
            #[expect(dead_code, reason = "only its shape is read")]
            $item
        }
    )*};
}

versions! {
    base: pub(super) struct Book { id: u32, title: String }
    same: pub(super) struct Book { id: u32, title: Box<str> }
    reordered: pub(super) struct Book { title: String, id: u32 }
    gained: pub(super) struct Book { id: u32, title: String, year: u16 }
    lost: pub(super) struct Book { id: u32 }
    renamed: pub(super) struct Book { id: u32, name: String }
    retyped: pub(super) struct Book { id: u64, title: String }
    optional: pub(super) struct Book { id: u32, title: Option<String> }
    many: pub(super) struct Book { id: u32, title: Vec<String> }
    other: pub(super) struct Other { x: u32, y: String }
    tuple: pub(super) struct Book(u32, String);
    aliased: pub(super) struct Book { #[serde(alias = "number")] id: u32, title: String }
    skipped: pub(super) struct Book { id: u32, #[serde(skip)] cached: u8, title: String }

    color: pub(super) enum Color { Red, Green(u8), Blue { deep: bool } }
    color_reordered: pub(super) enum Color { Green(u8), Red, Blue { deep: bool } }
    color_gained: pub(super) enum Color { Red, Green(u8), Blue { deep: bool }, Gray }
    color_retyped: pub(super) enum Color { Red, Green(u16), Blue { deep: bool } }
    color_field: pub(super) enum Color { Red, Green(u8), Blue { dark: bool } }
    color_tuple: pub(super) enum Color { Red, Green(u8, u8), Blue { deep: bool } }
}

#[test]
fn what_changes_the_layout_changes_the_shape() {
    let shapes = [
        of::<base::Book>(),
        of::<reordered::Book>(),
        of::<gained::Book>(),
        of::<lost::Book>(),
        of::<renamed::Book>(),
        of::<retyped::Book>(),
        of::<optional::Book>(),
        of::<many::Book>(),
        of::<other::Other>(),
        of::<tuple::Book>(),
        of::<color::Color>(),
        of::<color_reordered::Color>(),
        of::<color_gained::Color>(),
        of::<color_retyped::Color>(),
        of::<color_field::Color>(),
        of::<color_tuple::Color>(),
        of::<(u8, u8)>(),
        of::<[u8; 2]>(),
        of::<[u8; 3]>(),
        of::<Vec<u8>>(),
        of::<Option<u8>>(),
        of::<HashMap<u8, u8>>(),
        of::<HashMap<u8, u16>>(),
        of::<()>(),
    ];
    for (at, a) in shapes.iter().enumerate() {
        for (other, b) in shapes.iter().enumerate().skip(at + 1) {
            // A tuple and an array of one type have the same bytes.
            let alike = (at, other) == (16, 17);
            assert_eq!(a == b, alike, "{at} and {other}");
        }
    }
    for shape in [
        shape::<base::Book>(),
        shape::<color::Color>(),
        shape::<aliased::Book>(),
    ] {
        assert!(shape.traced);
    }
}

#[test]
fn what_does_not_change_the_layout_does_not_change_the_shape() {
    assert_eq!(of::<base::Book>(), of::<same::Book>());
    assert_eq!(of::<base::Book>(), of::<skipped::Book>());
    assert_eq!(of::<base::Book>(), of::<Arc<base::Book>>());
    assert_eq!(
        of::<Vec<String>>(),
        of::<std::collections::VecDeque<Box<str>>>()
    );
    assert_eq!(of::<HashMap<String, u8>>(), of::<BTreeMap<String, u8>>());
}

/// Where a change deep inside must be seen.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape is read")]
struct Around<T> {
    before: Option<Vec<(u8, HashMap<String, T>)>>,
    after: Result<Box<[T; 2]>, ()>,
}

#[test]
fn changes_deep_inside_are_seen() {
    assert_eq!(of::<Around<base::Book>>(), of::<Around<same::Book>>());
    assert_ne!(of::<Around<base::Book>>(), of::<Around<retyped::Book>>());
    assert_ne!(
        of::<Around<color::Color>>(),
        of::<Around<color_gained::Color>>()
    );
    assert_ne!(
        of::<Around<color::Color>>(),
        of::<Around<color_field::Color>>()
    );
    assert!(shape::<Around<color::Color>>().traced);
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape is read")]
struct Page<T> {
    items: Vec<T>,
}

#[test]
fn types_of_one_name_are_told_apart() {
    assert_ne!(
        of::<(Page<base::Book>, Page<base::Book>)>(),
        of::<(Page<base::Book>, Page<retyped::Book>)>()
    );
    assert_ne!(of::<Page<Page<u8>>>(), of::<Page<Page<Page<u8>>>>());
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape is read")]
struct Tree {
    children: Vec<Tree>,
    parent: Option<Box<Tree>>,
    by_name: HashMap<String, Tree>,
    expression: Expression,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape is read")]
enum Expression {
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    If {
        condition: Box<Expression>,
        tree: Option<Box<Tree>>,
    },
    Literal(i64),
    Name(String),
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only its shape is read")]
enum Endless {
    Again(Box<Endless>),
}

#[test]
fn recursive_types_end() {
    let text = text::<Tree>();
    for word in [
        "Not",
        "And",
        "If",
        "condition",
        "Literal=i64",
        "Name=str",
        "children",
    ] {
        assert!(text.contains(word), "{word} in {text}");
    }
    assert!(shape::<Tree>().traced && shape::<Expression>().traced);
    assert!(!shape::<Endless>().traced);
}

#[test]
fn the_text_is_frozen() {
    assert_eq!(
        text::<Page<(base::Book, Option<color::Color>)>>(),
        "afresh shape 1\n\
         #0\n\
         #0 struct 4:Page[5:items,](#1,)\n\
         #1 seq(#2,)\n\
         #2 tuple 2(#3,#4,)\n\
         #3 struct 4:Book[2:id,5:title,](u32,str,)\n\
         #4 option(#5)\n\
         #5 enum 5:Color()|3:Red|5:Green=u8|4:Blue[4:deep,]bool,"
    );
    assert_eq!(of::<u8>(), 0x6532_81e6_c757_8f37);
}

#[test]
fn types_of_the_standard_library_are_traced() {
    macro_rules! traced {
        ($($type:ty),* $(,)?) => {$(
            assert!(shape::<$type>().traced, "{}: {}", stringify!($type), text::<$type>());
        )*};
    }
    traced!(
        bool, u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, usize, f32, f64, char, String, (),
        Box<str>, Arc<[u8]>, NonZero<u8>, NonZero<i64>, Option<NonZero<u32>>, Duration,
        SystemTime, IpAddr, std::net::SocketAddr, std::ops::Range<u8>, std::ops::Bound<u8>,
        std::path::PathBuf, std::ffi::CString, [u64; 32], PhantomData<u8>,
        Result<u8, String>, std::collections::BTreeSet<char>, std::num::Wrapping<u8>,
        std::cmp::Reverse<u8>, std::cell::Cell<u8>, std::sync::Mutex<u8>,
        (u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, bool, char),
    );
}

/// As `uuid::Uuid` in a binary format.
struct Id;

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Id;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("16 bytes")
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Id, E> {
                if bytes.len() == 16 {
                    Ok(Id)
                } else {
                    Err(E::invalid_length(bytes.len(), &self))
                }
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

/// As `chrono::DateTime`: a text also in binary formats.
struct Time;

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Time;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a time")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                if text.ends_with('Z') {
                    Ok(Time)
                } else {
                    Err(E::custom("no zone"))
                }
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Email;

impl TryFrom<String> for Email {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.contains('@') {
            Ok(Self)
        } else {
            Err("no @")
        }
    }
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape is read")]
struct Account<T> {
    id: Id,
    email: Email,
    since: Time,
    port: NonZero<u16>,
    contact: Contact,
    last: T,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape is read")]
enum Contact {
    Mail(Email),
    Since(Time),
    Both { mail: Email, since: Time },
    Nobody,
}

#[test]
fn types_that_validate_get_what_they_want() {
    let shape = shape::<Account<u8>>();
    assert!(shape.traced, "{}", text::<Account<u8>>());
    assert_ne!(shape.fingerprint, of::<Account<u16>>());
}

struct Impossible;

impl<'de> Deserialize<'de> for Impossible {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?;
        Err(de::Error::custom("never"))
    }
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape is read")]
struct Holder<T> {
    before: T,
    broken: Impossible,
    after: u8,
}

#[derive(Deserialize)]
enum Partly<T> {
    Broken(Impossible),
    Whole(T),
}

#[test]
fn what_can_be_seen_counts_where_the_rest_cannot() {
    let shape = shape::<Holder<u8>>();
    assert!(!shape.traced);
    assert_ne!(shape.fingerprint, of::<Holder<u16>>());
    let text = text::<Partly<base::Book>>();
    assert!(text.contains("title"), "{text}");
    assert!(!super::shape::<Partly<base::Book>>().traced);
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape is read")]
struct Flattened {
    id: u8,
    #[serde(flatten)]
    rest: HashMap<String, u8>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape is read")]
#[serde(tag = "kind")]
enum Tagged {
    A { x: u8 },
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape is read")]
#[serde(untagged)]
enum Untagged {
    A(u8),
}

#[test]
fn types_that_look_at_the_input_are_flagged_and_told_apart() {
    let shapes = [shape::<Flattened>(), shape::<Tagged>(), shape::<Untagged>()];
    assert!(shapes.iter().all(|shape| !shape.traced));
    assert_ne!(shapes[0].fingerprint, shapes[1].fingerprint);
    assert_ne!(shapes[1].fingerprint, shapes[2].fingerprint);
    #[cfg(feature = "json")]
    assert!(!shape::<serde_json::Value>().traced);
}

/// Answers by name only, in a loop of its own.
struct ByName;

impl<'de> Deserialize<'de> for ByName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = ByName;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<ByName, A::Error> {
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "a" => drop(map.next_value::<u8>()?),
                        "b" => drop(map.next_value::<char>()?),
                        _ => return Err(de::Error::unknown_field(&name, &["a", "b"])),
                    }
                }
                Ok(ByName)
            }
        }
        deserializer.deserialize_struct("ByName", &["a", "b"], Visitor)
    }
}

#[test]
fn structs_that_want_names_get_them() {
    assert!(text::<(u8, ByName)>().contains("struct 6:ByName[1:a,1:b,](u8,char,)"));
    assert!(shape::<(u8, ByName)>().traced);
}

macro_rules! doubled {
    ($($name:ident = $inner:ty;)*) => {$(
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "only its shape is read")]
        struct $name(Option<Box<$inner>>, Vec<$inner>, Box<$inner>, Box<$inner>);
    )*};
}

doubled! {
    D0 = Expression; D1 = D0; D2 = D1; D3 = D2; D4 = D3; D5 = D4; D6 = D5; D7 = D6; D8 = D7;
    D9 = D8; D10 = D9; D11 = D10;
}

#[test]
fn types_that_branch_are_traced_in_time() {
    let start = std::time::Instant::now();
    assert!(shape::<D11>().traced);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn deep_recursion_fits_a_small_stack() {
    let run = || assert!(!shape::<Endless>().traced);
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn borrowed_names_in_types_do_not_matter() {
    assert_eq!(of::<std::borrow::Cow<'static, str>>(), of::<String>());
    // Asked twice, answered once.
    assert_eq!(shape::<Tree>(), shape::<Tree>());
}
