//! No two values have one key, and no value's bytes begin with another's, so that a sequence of
//! parts can be read in one way only.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;
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
    U32(u32),
    U64(u64),
    U128(u128),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    /// By its bits, of which only one pattern is not a number.
    F32(u32),
    F64(u64),
    Char(char),
    Text(String),
    Bytes(Vec<u8>),
    Path(PathBuf),
    Duration(Duration),
    Ordering(Ordering),
    Option(Option<Box<Value>>),
    Result(Result<Box<Value>, Box<Value>>),
    One((Box<Value>,)),
    Two((Box<Value>, Box<Value>)),
    Three((Box<Value>, Box<Value>, Box<Value>)),
    Sequence(Vec<Value>),
    Set(BTreeSet<Value>),
    Map(BTreeMap<Value, Value>),
    From(Box<Value>),
    To(Box<Value>),
    Included(Box<Value>),
    Excluded(Box<Value>),
    /// As `#[derive(KeyPart)]` writes a type that has this shape.
    Struct(Vec<(&'static str, Value)>),
    Variant(&'static str, Content),
}

/// What a variant holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Content {
    Unit,
    Tuple(Vec<Value>),
    Struct(Vec<(&'static str, Value)>),
}

fn write_struct(fields: &[(&'static str, Value)], key: &mut KeyWriter) {
    key.structure(fields.len());
    for (name, value) in fields {
        key.field(name);
        key.part(value);
    }
}

impl KeyPart for Value {
    fn encode(&self, key: &mut KeyWriter) {
        match self {
            Self::Unit => key.part(&()),
            Self::Bool(it) => key.part(it),
            Self::U8(it) => key.part(it),
            Self::U16(it) => key.part(it),
            Self::U32(it) => key.part(it),
            Self::U64(it) => key.part(it),
            Self::U128(it) => key.part(it),
            Self::I8(it) => key.part(it),
            Self::I16(it) => key.part(it),
            Self::I32(it) => key.part(it),
            Self::I64(it) => key.part(it),
            Self::I128(it) => key.part(it),
            Self::F32(it) => key.part(&f32::from_bits(*it)),
            Self::F64(it) => key.part(&f64::from_bits(*it)),
            Self::Path(it) => key.part(it),
            Self::Ordering(it) => key.part(it),
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
            Self::From(it) => key.part(&(it..)),
            Self::To(it) => key.part(&(..it)),
            Self::Included(it) => key.part(&Bound::Included(it)),
            Self::Excluded(it) => key.part(&Bound::Excluded(it)),
            Self::Struct(fields) => write_struct(fields, key),
            Self::Variant(name, content) => {
                key.variant(name);
                match content {
                    Content::Unit => key.unit(),
                    Content::Tuple(values) => {
                        key.tuple(values.len());
                        for value in values {
                            key.part(value);
                        }
                    }
                    Content::Struct(fields) => write_struct(fields, key),
                }
            }
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
        integers(),
        prop::sample::select(vec![0, 1_f32.to_bits(), (-0_f32).to_bits(), 0x7fc0_0000])
            .prop_map(Value::F32),
        prop::sample::select(vec![0, 1_f64.to_bits(), (-0_f64).to_bits(), 0x7ff8 << 48])
            .prop_map(Value::F64),
        prop::sample::select(vec!['a', '\0', '1']).prop_map(Value::Char),
        text.prop_map(|text| Value::Text(text.into())),
        vec(0..3_u8, 0..4).prop_map(Value::Bytes),
        prop::sample::select(vec!["", "a", "a/b"]).prop_map(|it| Value::Path(it.into())),
        prop::sample::select(vec![Ordering::Less, Ordering::Equal]).prop_map(Value::Ordering),
        (0..2_u64, 0..2_u32).prop_map(|(s, n)| Value::Duration(Duration::new(s, n))),
        Just(Value::Option(None)),
    ]
}

fn integers() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..3_u32).prop_map(Value::U32),
        (0..3_u64).prop_map(Value::U64),
        (0..3_u128).prop_map(Value::U128),
        (-1..2_i8).prop_map(Value::I8),
        (-1..2_i16).prop_map(Value::I16),
        (-1..2_i32).prop_map(Value::I32),
        (-1..2_i64).prop_map(Value::I64),
        (-1..2_i128).prop_map(Value::I128),
    ]
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "ab", "b", "\x01a"])
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
            btree_map(inner.clone(), inner.clone(), 0..3).prop_map(Value::Map),
            prop_oneof![
                boxed().prop_map(Value::From),
                boxed().prop_map(Value::To),
                boxed().prop_map(Value::Included),
                boxed().prop_map(Value::Excluded),
            ],
            fields(inner.clone()).prop_map(Value::Struct),
            (name(), content(inner)).prop_map(|(name, it)| Value::Variant(name, it)),
        ]
    })
}

fn fields(
    value: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    vec((name(), value), 0..4)
}

fn content(value: impl Strategy<Value = Value> + Clone) -> impl Strategy<Value = Content> {
    prop_oneof![
        Just(Content::Unit),
        vec(value.clone(), 0..3).prop_map(Content::Tuple),
        fields(value).prop_map(Content::Struct),
    ]
}

/// Values that differ in nothing but their shape.
fn neighbours() -> impl Strategy<Value = (Value, Value)> {
    let shapes = (name(), vec((name(), value()), 1..3)).prop_flat_map(|(name, fields)| {
        let bare: Vec<_> = fields.iter().map(|(_, value)| value.clone()).collect();
        let only = Box::new(bare[0].clone());
        prop::sample::subsequence(
            vec![
                Value::Struct(fields.clone()),
                Value::Sequence(bare.clone()),
                Value::Set(bare.iter().cloned().collect()),
                Value::Variant(name, Content::Struct(fields)),
                Value::Variant(name, Content::Tuple(bare)),
                Value::Variant(name, Content::Unit),
                Value::Text(name.into()),
                Value::Option(Some(only.clone())),
                Value::Included(only.clone()),
                *only,
            ],
            2,
        )
    });
    prop_oneof![
        (value(), value()),
        shapes.prop_map(|two| (two[0].clone(), two[1].clone())),
    ]
}

fn all(values: &[Value]) -> Vec<u8> {
    values.iter().flat_map(encoded).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn different_values_have_keys_of_which_none_begins_with_the_other((a, b) in neighbours()) {
        let (first, second) = (encoded(&a), encoded(&b));
        let alike = first.starts_with(&second) || second.starts_with(&first);
        prop_assert_eq!(a == b, alike);
    }

    #[test]
    fn one_value_in_many_types_has_one_key(
        values in vec(value(), 0..6),
        pairs in btree_map(value(), value(), 0..6),
        turn in 0..6_usize,
    ) {
        let key = encoded(&values);
        prop_assert_eq!(&key, &encoded(&values[..]));
        prop_assert_eq!(&key, &encoded(&values.iter().map(Box::new).collect::<Box<[_]>>()));
        prop_assert_eq!(&key, &encoded(&Cow::Borrowed(&Arc::new(&values))));
        if let Ok(array) = <&[Value; 2]>::try_from(&values[..]) {
            prop_assert_eq!(&key, &encoded(array));
        }
        // The same in two pieces.
        let mut deque: VecDeque<_> = values.iter().collect();
        let turn = turn.min(values.len());
        deque.rotate_left(turn);
        for _ in 0..turn {
            if let Some(last) = deque.pop_back() {
                deque.push_front(last);
            }
        }
        prop_assert_eq!(&key, &encoded(&deque));
        // What is in a map or a set, in the orders of two hashers.
        let key = encoded(&pairs);
        let hashed = || pairs.iter().map(|(name, it)| (encoded(name), (name, it)));
        let forward: HashMap<_, _> = hashed().collect();
        let backward: HashMap<_, _> = hashed().rev().collect();
        prop_assert_eq!(encoded(&forward), encoded(&backward));
        let reversed: BTreeMap<_, _> = pairs.iter().map(|(name, it)| (Reverse(name), it)).collect();
        prop_assert_eq!(&key, &encoded(&reversed));
        let set: BTreeSet<_> = pairs.keys().collect();
        let reversed: BTreeSet<_> = pairs.keys().map(Reverse).collect();
        prop_assert_eq!(encoded(&set), encoded(&reversed));
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
