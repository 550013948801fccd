//! What `#[derive(KeyPart)]` writes around the values of fields. A struct of named fields and a
//! variant have their names in the key; a tuple struct is its tuple, a unit struct is `()`.

use super::tag;
use crate::key::KeyWriter;

impl KeyWriter {
    /// Begins a struct: this many fields follow, each with [`field`](Self::field) before it.
    #[doc(hidden)]
    #[inline]
    pub fn structure(&mut self, fields: usize) {
        self.head(tag::STRUCT, fields);
    }

    /// The name of the field whose value follows.
    #[doc(hidden)]
    #[inline]
    pub fn field(&mut self, name: &'static str) {
        self.tagged(tag::FIELD, name.as_bytes());
    }

    /// Begins a tuple of this many values.
    #[doc(hidden)]
    #[inline]
    pub fn tuple(&mut self, values: usize) {
        self.head(tag::TUPLE, values);
    }

    /// The name of a variant, whose content follows.
    #[doc(hidden)]
    #[inline]
    pub fn variant(&mut self, name: &'static str) {
        self.tagged(tag::VARIANT, name.as_bytes());
    }

    /// Nothing: a unit struct, or the content of a unit variant.
    #[doc(hidden)]
    #[inline]
    pub fn unit(&mut self) {
        self.tag(tag::UNIT);
    }
}

/// What stands in the key for a field, by the function of `#[key(with = ..)]`.
#[inline]
pub fn with<'a, T: ?Sized, R>(field: &'a T, part: impl FnOnce(&'a T) -> R) -> R {
    part(field)
}

/// What a field of a packed type must be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read out of a packed type, and so not be part of a key",
    label = "needs `Copy`",
    note = "a reference to a field of a packed type may not be aligned: derive `Copy`, leave the field out with `#[key(skip)]`, or implement `KeyPart` for the packed type by hand"
)]
pub trait Copied: Copy {}

#[diagnostic::do_not_recommend]
impl<T: Copy> Copied for T {}

/// The value of a field that cannot be borrowed where it is.
#[inline]
pub fn copied<T: Copied>(field: T) -> T {
    field
}
