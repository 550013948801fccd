//! Guides, each short. They are compiled and run as tests with the rest of the documentation, and
//! are in no build of the crate but its documentation.

#[doc = include_str!("docs/keys.md")]
pub mod keys {}

#[doc = include_str!("docs/tags-and-invalidation.md")]
pub mod tags_and_invalidation {}

#[doc = include_str!("docs/inherited-tags.md")]
pub mod inherited_tags {}

#[doc = include_str!("docs/singleflight.md")]
pub mod singleflight {}

// Between empty lines, a picture is a block of its own.
#[doc = include_str!("docs/policies.md")]
#[doc = ""]
#[doc = include_str!("docs/policies/ttl.svg")]
#[doc = ""]
#[doc = include_str!("docs/policies/stale-for.md")]
#[doc = ""]
#[doc = include_str!("docs/policies/stale-for.svg")]
#[doc = ""]
#[doc = include_str!("docs/policies/refresh-ahead.md")]
#[doc = ""]
#[doc = include_str!("docs/policies/refresh-ahead.svg")]
#[doc = ""]
#[doc = include_str!("docs/policies/stale-if-error.md")]
#[doc = ""]
#[doc = include_str!("docs/policies/stale-if-error.svg")]
#[doc = ""]
#[doc = include_str!("docs/policies/timeouts.md")]
#[doc = ""]
#[doc = include_str!("docs/policies/timeouts.svg")]
#[doc = ""]
#[doc = include_str!("docs/policies/figures.md")]
#[doc = include_str!("docs/policies/background.md")]
pub mod policies {}

#[doc = include_str!("docs/sync.md")]
pub mod sync {}

#[doc = include_str!("docs/redis.md")]
pub mod redis {}

#[doc = include_str!("docs/catalog.md")]
pub mod catalog {}

#[doc = include_str!("docs/testing.md")]
pub mod testing {}

/// The examples of the front page.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub mod readme {}
