//! What an annotated function means. It is built by consuming what was written, and every rule is
//! checked on the way: a model that exists can be expanded. It produces no tokens.

mod cached;
mod callable;
mod crash_safe;
mod duration;
mod invalidates;
mod key;
mod known;
mod policy;
mod result_tags;
mod tags;
mod values;

pub(crate) use self::cached::{Cached, StoreIf};
pub(crate) use self::callable::Callable;
pub(crate) use self::crash_safe::CrashSafe;
pub(crate) use self::duration::{Ttl, TtlOf};
pub(crate) use self::invalidates::{Invalidates, KNOWN as INVALIDATES, When};
pub(crate) use self::key::{Key, Part, Piece};
pub(crate) use self::known::CACHED;
pub(crate) use self::policy::Policy;
pub(crate) use self::result_tags::{Labels, ResultTags};
pub(crate) use self::tags::{Tag, Tags};
pub(crate) use self::values::{Access, Scope};

/// What both attributes have: where the runtime is, and which cache is meant.
pub(crate) struct Place {
    /// The facade; none for `::afresh`.
    pub(crate) facade: Option<syn::Path>,
    /// The `cache` option; none for the installed one.
    pub(crate) cache: Option<syn::Expr>,
}
