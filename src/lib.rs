//! Declarative caching: annotate a function with [`#[cached]`](macro@cached) and a change with
//! [`#[invalidates]`](macro@invalidates); the runtime does the rest, in this process or, through
//! Redis, across many.
//!
//! ```
//! use afresh::{Outcome, Tier, cached, invalidates, outcome};
//!
//! #[cached(ttl = "30m", key = "book:{id}", tags = ["books", "book:{id}"], singleflight)]
//! async fn book(id: i64) -> Result<String, String> {
//!     Ok(format!("book {id}")) // in earnest, a query
//! }
//!
//! #[invalidates(tags = ["book:{id}"])]
//! async fn rename_book(id: i64, title: &str) -> Result<(), String> {
//!     Ok(()) // in earnest, an update
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), String> {
//! assert_eq!(outcome(book(7)).await.1, Outcome::Computed);
//! assert_eq!(outcome(book(7)).await.1, Outcome::Hit(Tier::Local));
//! rename_book(7, "Another title").await?;
//! assert_eq!(outcome(book(7)).await.1, Outcome::Computed);
//! # Ok(())
//! # }
//! ```
//!
//! That needs no server and no set-up. With `AFRESH_URL=redis://..` in the environment, or
//! `Cache::connect(url).await?.install()?` at start-up, the same code is shared by every process
//! that does the same.
//!
//! # Where things are
//!
//! | | |
//! | --- | --- |
//! | [`cached`](macro@cached), [`invalidates`](macro@invalidates) | the attributes, with every option |
//! | [`KeyPart`](derive@KeyPart), [`Tag`](derive@Tag) | the derives: types in keys, types of tags |
//! | [`by_serde`] | a part of a key of anything that is `Serialize` |
//! | [`Cache`] | making one, installing it, invalidating by hand, [`Stats`] |
//! | [`Cache::get_or_compute`], [`Lookup`] | what `cached` does, as a call |
//! | [`entry`](fn@entry), [`entry_sync`](fn@entry_sync) | one entry: its key, peek, put, refresh, invalidate |
//! | [`outcome`], [`bypass`] | how a call was answered; calls that leave the cache alone |
//! | [`carry`], [`carry_sync`] | taking a compute along into another task or thread |
//! | [`catalog`](fn@catalog) | what invalidates what: a table, a picture, tags that fit nothing |
//! | [`testing`] | isolation, time and a store for tests; that no tag is misspelled |
//! | [`docs`] | guides: keys, tags and invalidation, inherited tags, singleflight, policies, plain functions, Redis, the catalog, testing |
//!
//! # What is promised
//!
//! *Acknowledged* means that the invalidation has been appended to the log (the server has answered
//! that it was; in memory, at once) and that the call which made it has returned `Ok`. A mutation
//! whose invalidation is still owed, because the server was away, is not acknowledged, and
//! [`Stats::owed`] says so.
//!
//! - **Freshness.** A read that starts after an invalidation was acknowledged in the same process
//!   (to the same [`Cache`]) never returns a value computed before it. Invalidations by other processes are seen when their
//!   note arrives, and at the latest 2 seconds after the last proof that the connection lives:
//!   then this process stops trusting what it has, and calls compute. With [`Consistency::Strict`],
//!   a read that starts after an acknowledgement, in whatever process, never returns a value
//!   computed before it.
//! - **Computes under way.** A value whose compute began before an invalidation is returned to those
//!   who were already waiting for it, and to nobody after.
//! - **Single flight.** With `singleflight`, one compute per key at a time while the lease holds; a
//!   longer body renews it. Every wait ends: after `wait` a call computes alone.
//! - **Errors.** The function's own errors pass through untouched. A fault of the cache is never
//!   the caller's error: the call computes, and the fault is counted and reported.
//! - **Lost state.** A server that evicted, was flushed, restarted or failed over costs misses, not
//!   stale hits.
//!
//! Clocks decide only when a value expires; whether it is current is decided by positions in the
//! log.
//!
//! Not promised: by default, that other processes see an invalidation in the instant it is
//! acknowledged; that a primary which was cut off and replaced misleads nobody until those still
//! connected to it have found the new one, nor that what it has acknowledged meanwhile survives a process
//! that ends before ([how long](docs::redis) is the server's setting); that a body runs once and only once; and, without
//! [`crash_safe`](macro@invalidates#crash_safe), that an invalidation which is owed survives its
//! process, or that one is made if the process dies between a change in the database and it.
//!
//! # Environment
//!
//! | variable | |
//! | --- | --- |
//! | `AFRESH_URL` | the server of the default cache, where none is installed |
//! | `AFRESH_PREFIX` | what its names in the server begin with; default: the executable's name |
//! | `AFRESH_DISABLE` | set, and not empty or `0`: every call computes and nothing is stored |
//!
//! # Features
//!
//! | feature | |
//! | --- | --- |
//! | `redis` (default) | the shared store; without it, a URL is an error that says so |
//! | `tls` | encrypted connections to it: `rediss://` |
//! | `json`, `msgpack`, `bincode` | codecs beside postcard, see [`Codec`] |
//! | `uuid`, `chrono`, `jiff` | types of these crates as [parts of keys](docs::keys#what-can-be-a-part) |

#[doc = include_str!("docs/derive-key-part.md")]
pub use afresh_macros::KeyPart;
#[doc = include_str!("docs/derive-tag.md")]
pub use afresh_macros::Tag;
#[doc = include_str!("docs/cached.md")]
pub use afresh_macros::cached;
#[doc = include_str!("docs/invalidates.md")]
pub use afresh_macros::invalidates;
pub use afresh_runtime::{
    Background, Builder, BySerde, Cache, Cacheable, Carried, Codec, Consistency, Entry, EntrySync,
    Error, ErrorKind, Event, Inline, Key, KeyPart, KeyWriter, Limited, Lookup, Observer, Outcome,
    Ownable, Policy, StaleReason, Stats, Storable, Tag, Tier, Unlimited, by_serde, bypass, carry,
    carry_sync, catalog, entry, entry_sync, outcome, testing,
};

#[doc(hidden)]
pub use afresh_runtime::private as __private;

#[cfg(doc)]
pub mod docs;
