//! Values in default keys and key expressions: each with its type's shape and self-delimiting, so
//! that a sequence of parts can be read in one way only. The tags are frozen by golden tests.

mod by_serde;
#[cfg(any(feature = "chrono", feature = "jiff"))]
mod calendar;
#[cfg(feature = "chrono")]
mod chrono;
mod collections;
mod derived;
#[cfg(feature = "jiff")]
mod jiff;
mod ranges;
mod system;
#[cfg(feature = "uuid")]
mod uuid;

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::convert::Infallible;
use std::marker::PhantomData;
use std::num::{NonZero, Saturating, Wrapping};
use std::rc::Rc;
use std::sync::Arc;

pub use self::by_serde::{BySerde, by_serde};
#[doc(hidden)]
pub use self::derived::{Copied, copied, with};
use super::KeyWriter;

/// The first byte of each encoded value.
pub(super) mod tag {
    // Members whose number is not known before stand between one that opens and this.
    pub(crate) const END: u8 = 0x00;
    pub(crate) const UNIT: u8 = 0x01;
    pub(crate) const FALSE: u8 = 0x02;
    pub(crate) const TRUE: u8 = 0x03;
    pub(crate) const NONE: u8 = 0x04;
    pub(crate) const SOME: u8 = 0x05;
    pub(crate) const OK: u8 = 0x06;
    pub(crate) const ERR: u8 = 0x07;
    pub(crate) const U8: u8 = 0x10;
    pub(crate) const U16: u8 = 0x11;
    pub(crate) const U32: u8 = 0x12;
    pub(crate) const U64: u8 = 0x13;
    pub(crate) const U128: u8 = 0x14;
    pub(crate) const I8: u8 = 0x18;
    pub(crate) const I16: u8 = 0x19;
    pub(crate) const I32: u8 = 0x1a;
    pub(crate) const I64: u8 = 0x1b;
    pub(crate) const I128: u8 = 0x1c;
    pub(crate) const F32: u8 = 0x20;
    pub(crate) const F64: u8 = 0x21;
    pub(crate) const CHAR: u8 = 0x22;
    pub(crate) const STR: u8 = 0x30;
    pub(crate) const BYTES: u8 = 0x31;
    pub(crate) const PATH: u8 = 0x32;
    pub(crate) const PATH_NOT_UTF8: u8 = 0x33;
    pub(crate) const TUPLE: u8 = 0x40;
    pub(crate) const SEQUENCE: u8 = 0x41;
    pub(crate) const SET: u8 = 0x42;
    pub(crate) const MAP: u8 = 0x43;
    pub(crate) const STRUCT: u8 = 0x44;
    pub(crate) const VARIANT: u8 = 0x45;
    pub(crate) const FIELD: u8 = 0x46;
    pub(crate) const DURATION: u8 = 0x50;
    pub(crate) const TIME_AFTER: u8 = 0x51;
    pub(crate) const TIME_BEFORE: u8 = 0x52;
    pub(crate) const IPV4: u8 = 0x53;
    pub(crate) const IPV6: u8 = 0x54;
    pub(crate) const SOCKET_V4: u8 = 0x55;
    pub(crate) const SOCKET_V6: u8 = 0x56;
    pub(crate) const RANGE: u8 = 0x57;
    pub(crate) const RANGE_INCLUSIVE: u8 = 0x58;
    pub(crate) const RANGE_FROM: u8 = 0x59;
    pub(crate) const RANGE_TO: u8 = 0x5a;
    pub(crate) const RANGE_TO_INCLUSIVE: u8 = 0x5b;
    pub(crate) const RANGE_FULL: u8 = 0x5c;
    pub(crate) const INCLUDED: u8 = 0x5d;
    pub(crate) const EXCLUDED: u8 = 0x5e;
    pub(crate) const UNBOUNDED: u8 = 0x5f;
    pub(crate) const ORDERING: u8 = 0x60;
    pub(crate) const UUID: u8 = 0x61;
    pub(crate) const MOMENT: u8 = 0x62;
    pub(crate) const ZONED: u8 = 0x63;
    pub(crate) const DATE: u8 = 0x64;
    pub(crate) const TIME: u8 = 0x65;
    pub(crate) const DATE_TIME: u8 = 0x66;
    pub(crate) const SIGNED_DURATION: u8 = 0x67;
    pub(crate) const WEEKDAY: u8 = 0x68;
    pub(crate) const MONTH: u8 = 0x69;
    pub(crate) const OPEN_SEQUENCE: u8 = 0x70;
    pub(crate) const OPEN_TUPLE: u8 = 0x71;
    pub(crate) const OPEN_MAP: u8 = 0x72;
    pub(crate) const OPEN_STRUCT: u8 = 0x73;
    pub(crate) const NAMED: u8 = 0x74;
    pub(crate) const NEWTYPE: u8 = 0x75;
    pub(crate) const UNREPEATABLE: u8 = 0x7f;
}

/// A value that can be part of a key.
///
/// The derive of the same name implements it, and [`by_serde`] makes a part of anything that is
/// `Serialize`. By hand: two values that are not the same must be encoded differently, and the same
/// value must be encoded in the same way everywhere. Write the fields that identify a value, as one
/// tuple:
///
/// ```
/// # use afresh_runtime as afresh;
/// use afresh::{KeyPart, KeyWriter};
///
/// struct Filter {
///     author: u32,
///     title: String,
/// }
///
/// impl KeyPart for Filter {
///     fn encode(&self, key: &mut KeyWriter) {
///         key.part(&(self.author, &self.title));
///     }
/// }
/// ```
///
/// `&T`, `Box`, `Rc` and `Arc` are encoded as `T`; `str` and `String` alike; `[T]`, `Vec<T>` and
/// arrays alike; `usize` as `u64`. A `HashMap` and a `BTreeMap` with the same content, in any
/// order, are alike, and so are sets. Integers of different types differ, and so do `0.0` and
/// `-0.0`; every NaN is the same. A path is its text: `a/b` and `a//b` differ.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a cache key",
    label = "not a `KeyPart`",
    note = "for a type of your own: `#[derive(afresh::KeyPart)]`; for a type parameter: the bound `afresh::KeyPart`",
    note = "to leave it out: `skip(..)` for an argument of the default key, `#[key(skip)]` for a field",
    note = "for a value that is `Serialize`: `by_serde(&value)` in `key = ..`"
)]
pub trait KeyPart {
    /// Writes the value into a key.
    fn encode(&self, key: &mut KeyWriter);

    /// Writes a sequence that lies in two pieces. It is here because bytes are written as one.
    #[doc(hidden)]
    fn encode_slices(first: &[Self], second: &[Self], key: &mut KeyWriter)
    where
        Self: Sized,
    {
        key.head(tag::SEQUENCE, first.len() + second.len());
        for value in first.iter().chain(second) {
            value.encode(key);
        }
    }
}

impl KeyWriter {
    /// A tag alone.
    #[inline]
    fn tag(&mut self, tag: u8) {
        self.append(u64::from(tag), 1);
    }

    /// A tag and a length: seven bits to a byte, the lowest first, the top bit says "more".
    #[inline]
    fn head(&mut self, tag: u8, len: usize) {
        if len < 0x80 {
            self.append(u64::from(tag) | (len as u64) << 8, 2);
        } else {
            self.long_head(tag, len);
        }
    }

    #[cold]
    fn long_head(&mut self, tag: u8, mut len: usize) {
        self.tag(tag);
        while len >= 0x80 {
            self.append(len as u64 & 0x7f | 0x80, 1);
            len >>= 7;
        }
        self.append(len as u64, 1);
    }

    #[inline]
    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.head(tag, bytes.len());
        self.bytes(bytes);
    }
}

macro_rules! integers {
    ($($integer:ty as $wide:ty: $tag:ident),* $(,)?) => {$(
        impl KeyPart for $integer {
            #[inline]
            fn encode(&self, key: &mut KeyWriter) {
                key.tag(tag::$tag);
                key.bytes(&(*self as $wide).to_le_bytes());
            }
        }

        impl KeyPart for NonZero<$integer> {
            #[inline]
            fn encode(&self, key: &mut KeyWriter) {
                self.get().encode(key);
            }
        }
    )*};
}

integers! {
    u16 as u16: U16, u32 as u32: U32, u64 as u64: U64, usize as u64: U64, u128 as u128: U128,
    i8 as i8: I8, i16 as i16: I16, i32 as i32: I32, i64 as i64: I64, isize as i64: I64,
    i128 as i128: I128,
}

impl KeyPart for u8 {
    #[inline]
    fn encode(&self, key: &mut KeyWriter) {
        key.append(u64::from(tag::U8) | u64::from(*self) << 8, 2);
    }

    fn encode_slices(first: &[Self], second: &[Self], key: &mut KeyWriter) {
        key.head(tag::BYTES, first.len() + second.len());
        key.bytes(first);
        key.bytes(second);
    }
}

impl KeyPart for NonZero<u8> {
    #[inline]
    fn encode(&self, key: &mut KeyWriter) {
        self.get().encode(key);
    }
}

impl KeyPart for f32 {
    fn encode(&self, key: &mut KeyWriter) {
        // Not `NAN.to_bits()`, whose bits the language leaves open.
        let bits = if self.is_nan() {
            0x7fc0_0000
        } else {
            self.to_bits()
        };
        key.tag(tag::F32);
        key.bytes(&bits.to_le_bytes());
    }
}

impl KeyPart for f64 {
    fn encode(&self, key: &mut KeyWriter) {
        // Not `NAN.to_bits()`, whose bits the language leaves open.
        let bits = if self.is_nan() {
            0x7ff8_0000_0000_0000
        } else {
            self.to_bits()
        };
        key.tag(tag::F64);
        key.bytes(&bits.to_le_bytes());
    }
}

impl KeyPart for bool {
    #[inline]
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(if *self { tag::TRUE } else { tag::FALSE });
    }
}

impl KeyPart for char {
    fn encode(&self, key: &mut KeyWriter) {
        key.append(u64::from(tag::CHAR) | u64::from(u32::from(*self)) << 8, 5);
    }
}

impl KeyPart for str {
    #[inline]
    fn encode(&self, key: &mut KeyWriter) {
        key.tagged(tag::STR, self.as_bytes());
    }
}

impl KeyPart for String {
    #[inline]
    fn encode(&self, key: &mut KeyWriter) {
        self.as_str().encode(key);
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<T: KeyPart + ?Sized> KeyPart for $pointer {
            #[inline]
            fn encode(&self, key: &mut KeyWriter) {
                T::encode(self, key);
            }
        }
    )*};
}

pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: KeyPart + ToOwned + ?Sized> KeyPart for Cow<'_, T> {
    #[inline]
    fn encode(&self, key: &mut KeyWriter) {
        T::encode(self, key);
    }
}

macro_rules! wrappers {
    ($($wrapper:ident),*) => {$(
        impl<T: KeyPart> KeyPart for $wrapper<T> {
            #[inline]
            fn encode(&self, key: &mut KeyWriter) {
                self.0.encode(key);
            }
        }
    )*};
}

wrappers!(Wrapping, Saturating, Reverse);

impl KeyPart for Ordering {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::ORDERING);
        key.bytes(&(*self as i8).to_le_bytes());
    }
}

impl KeyPart for Infallible {
    fn encode(&self, _key: &mut KeyWriter) {
        match *self {}
    }
}

impl<T: ?Sized> KeyPart for PhantomData<T> {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::UNIT);
    }
}

impl KeyPart for () {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::UNIT);
    }
}

impl<T: KeyPart> KeyPart for Option<T> {
    #[inline]
    fn encode(&self, key: &mut KeyWriter) {
        match self {
            None => key.tag(tag::NONE),
            Some(value) => {
                key.tag(tag::SOME);
                value.encode(key);
            }
        }
    }
}

impl<T: KeyPart, E: KeyPart> KeyPart for Result<T, E> {
    fn encode(&self, key: &mut KeyWriter) {
        match self {
            Ok(value) => {
                key.tag(tag::OK);
                value.encode(key);
            }
            Err(error) => {
                key.tag(tag::ERR);
                error.encode(key);
            }
        }
    }
}

macro_rules! tuples {
    ($($count:literal: $($name:ident)*;)*) => {$(
        impl<$($name: KeyPart),*> KeyPart for ($($name,)*) {
            #[inline]
            fn encode(&self, key: &mut KeyWriter) {
                #[expect(non_snake_case, reason = "a field is named like its type")]
                let ($($name,)*) = self;
                key.head(tag::TUPLE, $count);
                $($name.encode(key);)*
            }
        }
    )*};
}

tuples! {
    1: A;
    2: A B;
    3: A B C;
    4: A B C D;
    5: A B C D E;
    6: A B C D E F;
    7: A B C D E F G;
    8: A B C D E F G H;
    9: A B C D E F G H I;
    10: A B C D E F G H I J;
    11: A B C D E F G H I J K;
    12: A B C D E F G H I J K L;
}
