//! Values by their `Serialize`: frozen bytes, one key for a map in whatever order, no two values of
//! serde's data model with one key.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;
use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap as _, SerializeStruct as _, SerializeStructVariant as _,
    SerializeTuple as _, SerializeTupleStruct as _, SerializeTupleVariant as _, Serializer,
};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

use super::super::by_serde;
use super::{KeyWriter, encoded, golden::hex};

#[track_caller]
fn frozen<T: Serialize + ?Sized>(value: &T, expected: &str) {
    assert_eq!(hex(&encoded(&by_serde(value))), expected.replace(' ', ""));
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Newtype(u8);

#[derive(Serialize)]
struct Pair(u8, u8);

#[derive(Serialize)]
struct Named<'a> {
    a: u8,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip)]
    _skipped: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    maybe: Option<u8>,
}

#[derive(Serialize)]
enum Choice {
    Unit,
    Newtype(u8),
    Pair(u8, u8),
    Named { a: u8 },
}

#[test]
fn leaves_are_those_of_key_part() {
    frozen(&true, "03");
    frozen(&7_u8, "10 07");
    frozen(&7_u16, "11 0700");
    frozen(&7_u32, "12 07000000");
    frozen(&7_u64, "13 0700000000000000");
    frozen(&7_u128, "14 07000000000000000000000000000000");
    frozen(&-1_i8, "18 ff");
    frozen(&-1_i16, "19 ffff");
    frozen(&-1_i32, "1a ffffffff");
    frozen(&-1_i64, "1b ffffffffffffffff");
    frozen(&-1_i128, "1c ffffffffffffffffffffffffffffffff");
    frozen(&-0.0_f32, "20 00000080");
    frozen(&-f64::NAN, "21 000000000000f87f");
    frozen(&'é', "22 e9000000");
    frozen("ab", "30 02 6162");
    frozen(&(), "01");
    frozen(&None::<u8>, "04");
    frozen(&Some(7_u8), "05 10 07");
}

#[test]
fn compounds() {
    frozen(&[7_u8][..], "70 1007 00");
    frozen(&vec![7_u8], "70 1007 00");
    frozen(&BTreeSet::from([7_u8]), "70 1007 00");
    // To serde, an array is a tuple.
    frozen(&[7_u8], "71 1007 00");
    frozen(&(7_u8, ()), "71 1007 01 00");
    frozen(
        &BTreeMap::from([("b", 1_u8), ("a", 2)]),
        "72 300161 1002 300162 1001 00",
    );
    frozen(&Unit, "7404556e6974 01");
    frozen(&Newtype(7), "74074e657774797065 75 1007");
    frozen(&Pair(7, 8), "740450616972 71 1007 1008 00");
    let named = Named {
        a: 7,
        kind: "x",
        _skipped: 9,
        maybe: None,
    };
    frozen(
        &named,
        "74054e616d6564 73 460161 1007 460474797065 300178 00",
    );
    frozen(&Choice::Unit, "740643686f696365 4504556e6974 01");
    frozen(
        &Choice::Newtype(7),
        "740643686f696365 45074e657774797065 75 1007",
    );
    frozen(
        &Choice::Pair(7, 8),
        "740643686f696365 450450616972 71 1007 1008 00",
    );
    frozen(
        &Choice::Named { a: 7 },
        "740643686f696365 45054e616d6564 73 460161 1007 00",
    );
    // Not in its readable form, which would be a text.
    frozen(&Ipv4Addr::LOCALHOST, "71 107f 1000 1000 1001 00");
    assert_eq!(
        super::golden::readable_parts(&(by_serde(&named), by_serde(&Choice::Unit), 3_u8)),
        "7:x:Unit:3~b556754a87856bd6046df6224ebe47dd"
    );
}

#[test]
fn the_order_of_a_map_is_not_part_of_its_key() {
    let pairs: Vec<_> = (0..1000_u32).map(|n| (n, n.to_string())).collect();
    let forward: HashMap<_, _> = pairs.iter().cloned().collect();
    let backward: HashMap<_, _> = pairs.iter().rev().cloned().collect();
    let key = encoded(&by_serde(&forward));
    assert_eq!(key, encoded(&by_serde(&backward)));
    let sorted: BTreeMap<_, _> = pairs.into_iter().collect();
    assert_eq!(key, encoded(&by_serde(&sorted)));
    assert_eq!(key, encoded(&by_serde(&&Box::new(sorted))));
}

struct Broken(u8);

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom(self.0))
    }
}

#[test]
fn what_cannot_be_serialized_has_a_key_of_its_own() {
    let first = encoded(&by_serde(&(1_u8, Broken(7))));
    let second = encoded(&by_serde(&(1_u8, Broken(7))));
    assert_ne!(first, second);
    assert_eq!(first[..4], [0x71, 0x10, 1, 0x7f]);
    assert_eq!(first.len(), 20);
    // What fails inside a map leaves nothing of it behind, and the name can be read on.
    let map = BTreeMap::from([(1_u8, Broken(7))]);
    assert_eq!(encoded(&by_serde(&map))[0], 0x7f);
    let name = super::golden::readable_parts(&(1_u8, by_serde(&Broken(7)), 2_u8));
    assert!(name.starts_with("1:2~"), "{name}");
}

#[test]
fn a_key_with_a_part_that_cannot_be_serialized_is_unusable() {
    let is_unusable = |part: &dyn Fn(&mut KeyWriter)| super::key(part).is_unusable();
    let broken = by_serde(&Broken(7));
    assert!(is_unusable(&|k| k.part(&broken)));
    assert!(is_unusable(&|k| k.part(&(
        1_u8,
        &broken,
        "more".repeat(40)
    ))));
    assert!(is_unusable(&|k| k.part(&(
        "before".repeat(40),
        &broken,
        2_u8
    ))));
    assert!(is_unusable(
        &|k| k.part(&[Some(Box::new(broken.clone()))][..])
    ));
    assert!(is_unusable(
        &|k| k.part(&BTreeMap::from([(1, &broken), (2, &broken)]))
    ));
    assert!(!is_unusable(&|k| k.part(&(
        1_u8,
        by_serde(&7),
        "more".repeat(40)
    ))));
    // What follows is in the key all the same, as it would be in another.
    let whole = encoded(&("before", &broken, "after".repeat(40)));
    let (first, last) = (encoded(&"before"), encoded(&"after".repeat(40)));
    assert_eq!(whole.len(), 2 + first.len() + 17 + last.len());
    assert!(whole.ends_with(&last));
}

/// Counts the events of one thread.
struct Events(Arc<AtomicUsize>);

impl Subscriber for Events {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "afresh"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn what_cannot_be_serialized_is_told_once_for_each_type() {
    let told = Arc::new(AtomicUsize::new(0));
    tracing::subscriber::with_default(Events(Arc::clone(&told)), || {
        for (calls, types) in [(1, 1), (2, 1), (3, 1)] {
            let _ = by_serde(&[Broken(1), Broken(2)]);
            assert_eq!(told.load(Ordering::SeqCst), types, "{calls} calls");
        }
        let _ = by_serde(&[Broken(1)]);
        assert_eq!(told.load(Ordering::SeqCst), 2);
    });
}

/// Serde's data model, which a value drives as the types that it stands for would.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Unit,
    Bool(bool),
    U8(u8),
    U16(u16),
    I8(i8),
    Char(char),
    Text(String),
    Bytes(Vec<u8>),
    Option(Option<Box<Value>>),
    Sequence(Vec<Value>),
    Tuple(Vec<Value>),
    Map(BTreeMap<Value, Value>),
    UnitStruct(&'static str),
    Newtype(&'static str, Box<Value>),
    TupleStruct(&'static str, Vec<Value>),
    Struct(&'static str, Vec<(&'static str, Value)>),
    UnitVariant(&'static str, &'static str),
    NewtypeVariant(&'static str, &'static str, Box<Value>),
    TupleVariant(&'static str, &'static str, Vec<Value>),
    StructVariant(&'static str, &'static str, Vec<(&'static str, Value)>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unit => s.serialize_unit(),
            Self::Bool(it) => s.serialize_bool(*it),
            Self::U8(it) => s.serialize_u8(*it),
            Self::U16(it) => s.serialize_u16(*it),
            Self::I8(it) => s.serialize_i8(*it),
            Self::Char(it) => s.serialize_char(*it),
            Self::Text(it) => s.serialize_str(it),
            Self::Bytes(it) => s.serialize_bytes(it),
            Self::Option(it) => it.serialize(s),
            Self::Sequence(it) => it.serialize(s),
            Self::Tuple(it) => {
                let mut s = s.serialize_tuple(it.len())?;
                it.iter().try_for_each(|it| s.serialize_element(it))?;
                s.end()
            }
            Self::Map(it) => {
                // Backwards: what comes first must not matter.
                let mut s = s.serialize_map(None)?;
                it.iter()
                    .rev()
                    .try_for_each(|(name, it)| s.serialize_entry(name, it))?;
                s.end()
            }
            Self::UnitStruct(name) => s.serialize_unit_struct(name),
            Self::Newtype(name, it) => s.serialize_newtype_struct(name, it),
            Self::TupleStruct(name, it) => {
                let mut s = s.serialize_tuple_struct(name, it.len())?;
                it.iter().try_for_each(|it| s.serialize_field(it))?;
                s.end()
            }
            Self::Struct(name, it) => {
                let mut s = s.serialize_struct(name, it.len())?;
                it.iter()
                    .try_for_each(|(name, it)| s.serialize_field(name, it))?;
                s.end()
            }
            Self::UnitVariant(name, variant) => s.serialize_unit_variant(name, 0, variant),
            Self::NewtypeVariant(name, variant, it) => {
                s.serialize_newtype_variant(name, 0, variant, it)
            }
            Self::TupleVariant(name, variant, it) => {
                let mut s = s.serialize_tuple_variant(name, 0, variant, it.len())?;
                it.iter().try_for_each(|it| s.serialize_field(it))?;
                s.end()
            }
            Self::StructVariant(name, variant, it) => {
                let mut s = s.serialize_struct_variant(name, 0, variant, it.len())?;
                it.iter()
                    .try_for_each(|(name, it)| s.serialize_field(name, it))?;
                s.end()
            }
        }
    }
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "a", "b", "ab", "\0", "\x01a"])
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Unit),
        any::<bool>().prop_map(Value::Bool),
        (0..3_u8).prop_map(Value::U8),
        (0..3_u16).prop_map(Value::U16),
        (-1..2_i8).prop_map(Value::I8),
        prop::sample::select(vec!['a', '\0']).prop_map(Value::Char),
        name().prop_map(|text| Value::Text(text.into())),
        vec(0..3_u8, 0..4).prop_map(Value::Bytes),
        Just(Value::Option(None)),
        name().prop_map(Value::UnitStruct),
        (name(), name()).prop_map(|(name, variant)| Value::UnitVariant(name, variant)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        let many = || vec(inner.clone(), 0..4);
        let fields = || vec((name(), inner.clone()), 0..4);
        prop_oneof![
            boxed().prop_map(|it| Value::Option(Some(it))),
            many().prop_map(Value::Sequence),
            many().prop_map(Value::Tuple),
            prop::collection::btree_map(inner.clone(), inner.clone(), 0..3).prop_map(Value::Map),
            (name(), boxed()).prop_map(|(name, it)| Value::Newtype(name, it)),
            (name(), many()).prop_map(|(name, it)| Value::TupleStruct(name, it)),
            (name(), fields()).prop_map(|(name, it)| Value::Struct(name, it)),
            (name(), name(), boxed()).prop_map(|(a, b, it)| Value::NewtypeVariant(a, b, it)),
            (name(), name(), many()).prop_map(|(a, b, it)| Value::TupleVariant(a, b, it)),
            (name(), name(), fields()).prop_map(|(a, b, it)| Value::StructVariant(a, b, it)),
        ]
    })
}

/// A value and one that is nearly the same.
fn neighbours() -> impl Strategy<Value = (Value, Value)> {
    let either = |one: fn(&'static str, Vec<Value>) -> Value,
                  other: fn(&'static str, Vec<Value>) -> Value| {
        (name(), vec(value(), 0..3))
            .prop_map(move |(name, it)| (one(name, it.clone()), other(name, it)))
    };
    prop_oneof![
        (value(), value()),
        either(|_, it| Value::Sequence(it), |_, it| Value::Tuple(it)),
        either(Value::TupleStruct, |_, it| Value::Tuple(it)),
        either(Value::TupleStruct, |name, it| Value::TupleVariant(
            name, name, it
        )),
        either(Value::TupleStruct, |name, it| Value::Newtype(
            name,
            Box::new(Value::Tuple(it))
        )),
        either(
            |name, it| Value::TupleVariant(name, "a", it),
            |name, it| Value::NewtypeVariant(name, "a", Box::new(Value::Tuple(it)))
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn different_values_have_keys_of_which_none_begins_with_the_other((a, b) in neighbours()) {
        let (first, second) = (encoded(&by_serde(&a)), encoded(&by_serde(&b)));
        let alike = first.starts_with(&second) || second.starts_with(&first);
        prop_assert_eq!(a == b, alike);
    }

    #[test]
    fn a_map_in_any_order_has_one_key(
        (map, shuffled) in prop::collection::btree_map(value(), value(), 0..6).prop_flat_map(|map| {
            let pairs: Vec<_> = map.clone().into_iter().collect();
            (Just(map), Just(pairs).prop_shuffle())
        })
    ) {
        let key = encoded(&by_serde(&Value::Map(map)));
        prop_assert_eq!(key, encoded(&by_serde(&Pairs(shuffled))));
    }
}

struct Pairs(Vec<(Value, Value)>);

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter().map(|(name, it)| (name, it)))
    }
}
