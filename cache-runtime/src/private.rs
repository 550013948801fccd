//! Everything that an expansion names, and nothing else. Not for use by hand: it changes with the
//! macros, in any release.

pub use crate::__register as register;
pub use crate::__register_tags as register_tags;
pub use crate::__tag_of as tag_of;
pub use crate::call::{
    Borrowed, Captures, Ending, Entered, Finish, Finished, Finishing, HasNoBackground,
    HasNoTimeout, IsPolicy, Lends, MadeOfTimeout, NeverInParts, NeverOwned, NeverWritten, Output,
    Ownable, Owned, Recurs, Ruled, Running, Site, Start, TimesOut, Travels, enter, policy,
    recursive, site,
};
pub use crate::invalidate::{AsyncCall, Mutating, Refuse, Targets, mutate, refuse};
pub use crate::key::{Copied, FastText, KeyPart, KeyWriter, TemplatePart, Text, copied, with};
pub use crate::output::{
    Cacheable, Failure, Happened, Kit, Returned, Returns, Storable, Vtable, Whole,
};
pub use crate::spec::{Fact, Kind, Mutation, Registered, Spec, When};
pub use crate::tag::{Tag, TagPart, TypedTags, tag_value};
pub use inventory;

use crate::cache::Cache;

/// No `cache` option: the default one.
#[must_use]
pub const fn installed() -> Option<&'static Cache> {
    None
}

/// What the `cache` option may be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Cache`, and is not `AsRef<Cache>`",
    label = "needs to be a `Cache`, or `AsRef<Cache>`",
    note = "a server's address goes to `Cache::connect(..)`",
    note = "what is behind a `LazyLock` is named with a star: `cache = *CACHE`; what is in a field, by its path: `cache = self.cache`"
)]
pub trait LeadsToCache {
    /// The cache.
    fn cache(&self) -> &Cache;
}

#[diagnostic::do_not_recommend]
impl<C: AsRef<Cache> + ?Sized> LeadsToCache for C {
    fn cache(&self) -> &Cache {
        self.as_ref()
    }
}

/// The `cache` option.
pub fn cache<C: LeadsToCache + ?Sized>(cache: &C) -> Option<&Cache> {
    Some(cache.cache())
}

/// One tag of a list.
pub fn tag(tag: impl Into<Tag>) -> Tag {
    tag.into()
}

/// A value of the function's return type that is never made: it fixes the type of the body.
///
/// # Panics
///
/// Always, and it is never called.
#[cold]
pub fn never<R>() -> R {
    unreachable!("an expansion never gets here")
}

/// One tag of a list, from a template's format string and its values. For expansions only.
// Each value takes a step of its own, so that one without `Display` is reported by its message.
#[doc(hidden)]
#[macro_export]
macro_rules! __tag_of {
    ($format:literal $(, $value:expr)+ $(,)?) => {
        $crate::private::tag(::core::format_args!(
            $format $(, $crate::private::tag_value($value))+
        ))
    };
}

/// Puts a function on record. For expansions only.
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    (
        $kind:ident, $name:literal, $line:expr, $text:literal, $sync:literal
        $(, $fact:ident $(($value:literal))?)* $(,)?
    ) => {
        const _: () = {
            $crate::private::inventory::submit! {
                $crate::private::Registered {
                    kind: $crate::private::Kind::$kind,
                    sync: $sync,
                    module: ::core::module_path!(),
                    name: $name,
                    file: ::core::file!(),
                    line: $line,
                    text: $text,
                    facts: &[$($crate::private::Fact::$fact $(($value))?),*],
                }
            }
        };
    };
}

/// Puts a type of tags on record. For expansions only.
#[doc(hidden)]
#[macro_export]
macro_rules! __register_tags {
    ($name:literal, [$($variant:expr),* $(,)?]) => {
        const _: () = {
            $crate::private::inventory::submit! {
                $crate::private::TypedTags {
                    module: ::core::module_path!(),
                    name: $name,
                    variants: &[$($variant),*],
                }
            }
        };
    };
}
