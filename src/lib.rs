//! Declarative caching: annotate a function, invalidate by tag.

pub use afresh_macros::{cached, invalidates};
pub use afresh_runtime::{
    Builder, Cache, Codec, Entry, Error, ErrorKind, Event, Key, KeyPart, Observer, Outcome, Stats,
    Tag, Tier, bypass, entry, outcome, testing,
};

#[doc(hidden)]
pub use afresh_runtime::private as __private;
