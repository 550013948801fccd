//! No two values have one key, and no value's bytes begin with another's, so that a sequence of
//! parts can be read in one way only.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::super::{KeyPart, KeyWriter};
use super::encoded;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Unit,
    Bool(bool),
    U8(u8),
    U16(u16),
    U64(u64),
    I8(i8),
    I64(i64),
    Char(char),
    Text(String),
    Bytes(Vec<u8>),
    Duration(Duration),
    Option(Option<Box<Value>>),
    Result(Result<Box<Value>, Box<Value>>),
    One((Box<Value>,)),
    Two((Box<Value>, Box<Value>)),
    Three((Box<Value>, Box<Value>, Box<Value>)),
    Sequence(Vec<Value>),
    Set(BTreeSet<Value>),
    Map(BTreeMap<Value, Value>),
}

impl KeyPart for Value {
    fn encode(&self, key: &mut KeyWriter) {
        match self {
            Self::Unit => key.part(&()),
            Self::Bool(it) => key.part(it),
            Self::U8(it) => key.part(it),
            Self::U16(it) => key.part(it),
            Self::U64(it) => key.part(it),
            Self::I8(it) => key.part(it),
            Self::I64(it) => key.part(it),
            Self::Char(it) => key.part(it),
            Self::Text(it) => key.part(it),
            Self::Bytes(it) => key.part(it),
            Self::Duration(it) => key.part(it),
            Self::Option(it) => key.part(it),
            Self::Result(it) => key.part(it),
            Self::One(it) => key.part(it),
            Self::Two(it) => key.part(it),
            Self::Three(it) => key.part(it),
            Self::Sequence(it) => key.part(it),
            Self::Set(it) => key.part(it),
            Self::Map(it) => key.part(it),
        }
    }
}

/// Few different leaves, so that values that look alike meet, and texts that look like encodings.
fn leaf() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec![
        "",
        "a",
        "ab",
        "b",
        "1",
        "\0",
        "\x01",
        "\x30\x01a",
        "\x30",
    ]);
    prop_oneof![
        Just(Value::Unit),
        any::<bool>().prop_map(Value::Bool),
        (0..3_u8).prop_map(Value::U8),
        (0..3_u16).prop_map(Value::U16),
        (0..3_u64).prop_map(Value::U64),
        (-1..2_i8).prop_map(Value::I8),
        (-1..2_i64).prop_map(Value::I64),
        prop::sample::select(vec!['a', '\0', '1']).prop_map(Value::Char),
        text.prop_map(|text| Value::Text(text.into())),
        vec(0..3_u8, 0..4).prop_map(Value::Bytes),
        (0..2_u64, 0..2_u32).prop_map(|(s, n)| Value::Duration(Duration::new(s, n))),
        Just(Value::Option(None)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let boxed = || boxed.clone();
        prop_oneof![
            boxed().prop_map(|it| Value::Option(Some(it))),
            boxed().prop_map(|it| Value::Result(Ok(it))),
            boxed().prop_map(|it| Value::Result(Err(it))),
            boxed().prop_map(|it| Value::One((it,))),
            (boxed(), boxed()).prop_map(Value::Two),
            (boxed(), boxed(), boxed()).prop_map(Value::Three),
            vec(inner.clone(), 0..4).prop_map(Value::Sequence),
            btree_set(inner.clone(), 0..4).prop_map(Value::Set),
            btree_map(inner.clone(), inner, 0..3).prop_map(Value::Map),
        ]
    })
}

fn all(values: &[Value]) -> Vec<u8> {
    values.iter().flat_map(encoded).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn different_values_have_keys_of_which_none_begins_with_the_other(a in value(), b in value()) {
        let (first, second) = (encoded(&a), encoded(&b));
        let alike = first.starts_with(&second) || second.starts_with(&first);
        prop_assert_eq!(a == b, alike);
    }

    #[test]
    fn arguments_cannot_run_into_each_other(
        a in vec(value(), 0..4),
        b in vec(value(), 0..4),
    ) {
        prop_assert_eq!(a == b, all(&a) == all(&b));
    }

    #[test]
    fn parts_are_the_bytes_of_their_parts(values in vec(value(), 0..12)) {
        // Alone, each part starts at a word; together, anywhere.
        let together = super::key(|k| values.iter().for_each(|value| k.part(value)));
        prop_assert_eq!(super::bytes(together.words()), all(&values));
    }

    #[test]
    fn any_text_is_told_from_any_other(a in ".{0,40}", b in ".{0,40}") {
        let text = |value: &str| super::text(|k| k.text(value));
        prop_assert_eq!(a == b, text(&a) == text(&b));
        prop_assert!(text(&a).bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%_.-@+".contains(&byte)));
    }
}
