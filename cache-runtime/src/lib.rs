//! The runtime of afresh: the log, the tiers, flights and leases, and the call that goes through
//! them. Users name the facade crate `afresh` instead, where all of this is documented.
//!
//! # What is promised
//!
//! A value computed before an invalidation is not served after that invalidation was
//! acknowledged: at once in the process that made it, and in others as soon as its note arrives,
//! two seconds after the last sign of life at the latest. A fault of the cache is never a fault of
//! the call: it computes.

#![cfg_attr(
    not(feature = "redis"),
    expect(
        dead_code,
        reason = "what a shared tier needs is there without one, to be of one piece"
    )
)]

mod background;
mod backoff;
mod cache;
mod call;
mod carry;
mod chance;
mod clock;
mod codec;
mod entry;
mod error;
mod flight;
mod inherit;
mod inspect;
mod invalidate;
mod key;
mod lease;
mod local;
mod log;
mod observe;
mod output;
mod plain;
mod policy;
mod scope;
mod shape;
mod shared;
mod spec;
mod sync;
mod tag;
mod timer;

#[cfg(all(test, afresh_shuttle))]
mod interleaving_tests;

pub mod catalog;
#[cfg(any(test, afresh_fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
#[doc(hidden)]
pub mod private;
pub mod testing;

pub use cache::{Builder, Cache, Consistency};
pub use call::Ownable;
pub use carry::{Carried, carry, carry_sync};
pub use catalog::catalog;
pub use codec::Codec;
pub use error::{Error, ErrorKind};
pub use inspect::{Entry, EntrySync, Outcome, Tier, bypass, entry, entry_sync, outcome};
pub use key::{BySerde, Key, KeyPart, KeyWriter, by_serde};
pub use observe::{Event, Observer, StaleReason, Stats};
pub use output::{Cacheable, Storable};
pub use plain::Lookup;
pub use policy::{Background, Inline, Limited, Policy, Unlimited};
pub use tag::Tag;
