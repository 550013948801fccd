//! A key part of anything that is `Serialize`: a serializer that writes into a key. It keeps apart
//! what serde's data model keeps apart; names are in the key, positions of variants are not.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::sync::{Mutex, PoisonError};

use serde::ser::{self, Serialize};

use super::{KeyPart, tag};
use crate::key::{KeyWriter, bytes};

/// A key part of a value that is `Serialize` and no [`KeyPart`].
///
/// ```
/// # use afresh_runtime as afresh;
/// use afresh::by_serde;
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct Filter { author: u32, words: Vec<String> }
///
/// fn is_key_part(_: impl afresh::KeyPart) {}
/// # let filter = Filter { author: 1, words: vec![] };
/// is_key_part((7, by_serde(&filter))); // `key = (id, by_serde(&filter))`
/// ```
///
/// Structs, fields, enums and variants are in the key by their names, maps in the order of their
/// encoded entries. So a `HashMap` has one key; but a `HashSet` is a list to serde, in whatever order
/// it is in: use a `BTreeSet`. What is not serialized (`#[serde(skip)]`) does not tell calls apart,
/// and neither does what serde does not tell apart (the variants of an `untagged` enum that look
/// alike).
///
/// A key cannot fail. Where a `Serialize` does, the call has none: it is
/// [bypassed](crate::Outcome::Bypassed), and a warning is logged, once for each type.
pub fn by_serde<T: Serialize + ?Sized>(value: &T) -> BySerde {
    let mut key = KeyWriter::new();
    if let Err(error) = value.serialize(Writer(&mut key)) {
        unrepeatable(&mut key, std::any::type_name::<T>(), &error);
    }
    BySerde(key)
}

/// What [`by_serde`] makes of a value: the value as it was then.
// Encoded at once: that borrows nothing, and a type that is not `Serialize` is one mistake.
#[derive(Clone)]
pub struct BySerde(KeyWriter);

impl KeyPart for BySerde {
    fn encode(&self, key: &mut KeyWriter) {
        key.again(&self.0);
    }
}

impl fmt::Debug for BySerde {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BySerde").finish_non_exhaustive()
    }
}

/// Makes the key good for nothing, and one of its own. Half of a value would be the key of another.
#[cold]
fn unrepeatable(key: &mut KeyWriter, ty: &'static str, error: &Failed) {
    /// The types that have been told. They are as many as the program has at most.
    static TOLD: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let is_new = told.insert(ty);
    drop(told);
    if is_new {
        tracing::warn!(
            target: "afresh",
            ty,
            error = %error.0,
            "a value could not be serialized into a key: such calls are not cached"
        );
    }
    key.tag(tag::UNREPEATABLE);
    key.bytes(&nonce());
    key.spoil();
}

/// Bytes that come once, in whatever process.
fn nonce() -> [u8; 16] {
    let mut random = [0; 16];
    if getrandom::fill(&mut random).is_err() {
        // Without the system's random bits, as far apart as this process and its clock can tell.
        use std::hash::{BuildHasher as _, RandomState};
        let (high, low) = (RandomState::new(), RandomState::new());
        let now = std::time::SystemTime::now();
        random[..8].copy_from_slice(&high.hash_one(now).to_le_bytes());
        random[8..].copy_from_slice(&low.hash_one(now).to_le_bytes());
    }
    random
}

/// What a `Serialize` reported.
#[derive(Debug)]
struct Failed(Box<str>);

impl Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

impl ser::Error for Failed {
    fn custom<M: Display>(message: M) -> Self {
        Self(message.to_string().into())
    }
}

/// Writes one value.
struct Writer<'a>(&'a mut KeyWriter);

impl<'a> Writer<'a> {
    /// The name of a type, before what it is.
    fn named(self, name: &'static str) -> Self {
        self.0.tagged(tag::NAMED, name.as_bytes());
        self
    }

    fn variant(self, name: &'static str, variant: &'static str) -> Self {
        let this = self.named(name);
        this.0.variant(variant);
        this
    }

    fn begin(self, tag: u8) -> Members<'a> {
        self.0.tag(tag);
        Members(self.0)
    }

    fn newtype<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Failed> {
        self.0.tag(tag::NEWTYPE);
        value.serialize(self)
    }
}

macro_rules! leaves {
    ($($method:ident: $value:ty),* $(,)?) => {$(
        fn $method(self, value: $value) -> Result<(), Failed> {
            value.encode(self.0);
            Ok(())
        }
    )*};
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Failed;
    type SerializeSeq = Members<'a>;
    type SerializeTuple = Members<'a>;
    type SerializeTupleStruct = Members<'a>;
    type SerializeTupleVariant = Members<'a>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Members<'a>;

    leaves! {
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_u128: u128, serialize_f32: f32, serialize_f64: f64,
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_none(self) -> Result<(), Failed> {
        self.0.tag(tag::NONE);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Failed> {
        self.0.tag(tag::SOME);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Failed> {
        self.0.unit();
        Ok(())
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Failed> {
        self.named(name).serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Failed> {
        self.variant(name, variant).serialize_unit()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        self.named(name).newtype(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        self.variant(name, variant).newtype(value)
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Members<'a>, Failed> {
        Ok(self.begin(tag::OPEN_SEQUENCE))
    }

    fn serialize_tuple(self, _len: usize) -> Result<Members<'a>, Failed> {
        Ok(self.begin(tag::OPEN_TUPLE))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _len: usize,
    ) -> Result<Members<'a>, Failed> {
        Ok(self.named(name).begin(tag::OPEN_TUPLE))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Members<'a>, Failed> {
        Ok(self.variant(name, variant).begin(tag::OPEN_TUPLE))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Entries<'a>, Failed> {
        Ok(Entries {
            key: self.0,
            complete: Vec::new(),
            current: KeyWriter::new(),
        })
    }

    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Members<'a>, Failed> {
        Ok(self.named(name).begin(tag::OPEN_STRUCT))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Members<'a>, Failed> {
        Ok(self.variant(name, variant).begin(tag::OPEN_STRUCT))
    }
}

/// Writes members up to the end; how many they are, serde need not know before.
struct Members<'a>(&'a mut KeyWriter);

impl Members<'_> {
    fn member<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        value.serialize(Writer(self.0))
    }

    fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        self.0.field(name);
        self.member(value)
    }

    fn close(self) {
        self.0.tag(tag::END);
    }
}

macro_rules! members {
    ($($trait:ident: $method:ident($($name:ident)?) as $step:ident),* $(,)?) => {$(
        impl ser::$trait for Members<'_> {
            type Ok = ();
            type Error = Failed;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), Failed> {
                self.$step($($name,)? value)
            }

            fn end(self) -> Result<(), Failed> {
                self.close();
                Ok(())
            }
        }
    )*};
}

members! {
    SerializeSeq: serialize_element() as member,
    SerializeTuple: serialize_element() as member,
    SerializeTupleStruct: serialize_field() as member,
    SerializeTupleVariant: serialize_field() as member,
    SerializeStruct: serialize_field(name) as field,
    SerializeStructVariant: serialize_field(name) as field,
}

/// Gathers the entries of a map, so that their order is not part of the key.
struct Entries<'a> {
    key: &'a mut KeyWriter,
    complete: Vec<Vec<u8>>,
    current: KeyWriter,
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Failed> {
        self.current = KeyWriter::new();
        name.serialize(Writer(&mut self.current))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        value.serialize(Writer(&mut self.current))?;
        self.complete.push(bytes(self.current.words()));
        Ok(())
    }

    fn end(mut self) -> Result<(), Failed> {
        self.complete.sort_unstable();
        self.key.tag(tag::OPEN_MAP);
        for entry in &self.complete {
            self.key.bytes(entry);
        }
        self.key.tag(tag::END);
        Ok(())
    }
}
