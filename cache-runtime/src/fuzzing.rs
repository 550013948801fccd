//! What must hold whatever bytes come from outside: one function for each way in, which takes any
//! bytes and panics where a promise is broken. The package `fuzz` drives them, and the tests here
//! run each over its corpus. It makes no bytes and keeps none.

mod entry;
mod key;
mod source;

#[cfg(feature = "redis")]
use crate::shared::redis::hostile_tests;

pub use key::template_key;
pub(crate) use source::Source;

/// One way in.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its folder in the corpus.
    pub name: &'static str,
    /// Panics where these bytes break a promise.
    pub run: fn(&[u8]),
    /// How much memory it may hold at one time, before it has seen a byte.
    fixed: usize,
    /// And for each byte of its input.
    each: usize,
}

impl Target {
    /// How many bytes of memory may be held at one time for an input of this length.
    pub fn most(&self, length: usize) -> usize {
        self.fixed + self.each * length
    }
}

/// An entry: its header, its tags, and a payload in any codec.
// serde makes room for up to 1 MiB at each level of nesting, and the types have three.
pub const ENTRY: Target = Target {
    name: "entry",
    run: entry::run,
    fixed: 4 << 20,
    each: 300,
};

/// Keys from templates and from parts.
pub const KEY: Target = Target {
    name: "key",
    run: key::run,
    fixed: 64 << 10,
    each: 64,
};

/// One reply after the other, and what each reader of replies makes of it.
#[cfg(feature = "redis")]
pub const REPLIES: Target = Target {
    name: "replies",
    run: hostile_tests::replies,
    fixed: 512 << 10,
    each: 256,
};

/// A history of answers to all that is asked about the log, and the view that they are told to.
#[cfg(feature = "redis")]
pub const LOG: Target = Target {
    name: "log",
    run: hostile_tests::log,
    fixed: 2 << 20,
    each: 512,
};

/// A connection, with replies and pushes in pieces.
#[cfg(feature = "redis")]
pub const CONNECTION: Target = Target {
    name: "connection",
    run: hostile_tests::connection,
    fixed: 1 << 20,
    each: 256,
};

/// The URL of a store. Where it is encrypted, the system's roots are read.
#[cfg(feature = "redis")]
pub const URL: Target = Target {
    name: "url",
    run: hostile_tests::url,
    fixed: 1 << 20,
    each: 256,
};

#[cfg(test)]
mod tests;
