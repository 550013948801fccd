//! What a simulated store was asked to do, for a test to read.

use std::fmt;

/// What a cache asks of its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// An entry is read.
    Get,
    /// The lease of a key is asked for, with what is stored under it by now: see `singleflight`.
    Bid,
    /// A lease is extended, because a body takes longer than a third of it.
    Renew,
    /// An entry is stored, and the lease freed that it was computed under.
    Fill,
    /// A lease is freed without an entry: the compute failed, or was given up.
    Release,
    /// A record is appended to the log: an invalidation, or a `put`.
    Append,
    /// The tags of a `crash_safe` mutation are marked.
    Mark,
    /// The log is asked about tags that this process knows too little of.
    Ask,
    /// It is proven that this process has every record: each read in
    /// [`Strict`](crate::Consistency::Strict) that does not go to the store anyway.
    Barrier,
    /// The records are read that this process lacks.
    CatchUp,
    /// An entry is removed that could not be read.
    Discard,
}

impl OperationKind {
    /// Its name: `get`, `catch_up`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Bid => "bid",
            Self::Renew => "renew",
            Self::Fill => "fill",
            Self::Release => "release",
            Self::Append => "append",
            Self::Mark => "mark",
            Self::Ask => "ask",
            Self::Barrier => "barrier",
            Self::CatchUp => "catch_up",
            Self::Discard => "discard",
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One thing that a cache asked of its store, whatever became of it. It prints as one line: `get
/// books:7`, `append`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// What was asked.
    pub kind: OperationKind,
    /// The key that it was about, as [`Key`](crate::Key) prints it; `None` where it was about the
    /// log.
    pub key: Option<String>,
    /// Which of the store's caches asked: 1 is the one that was made first.
    pub cache: usize,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{} {key}", self.kind),
            None => write!(f, "{}", self.kind),
        }
    }
}

/// The key of a subject `namespace/version/shape:key`, as a [`Key`](crate::Key) prints it.
pub(super) fn key_of(subject: &str) -> String {
    let parts = || {
        // The shape has 16 digits, and the first thing that looks like one is it: a key comes later.
        let at = subject.match_indices('/').map(|(at, _)| at);
        at.rev().find_map(|at| {
            let (shape, key) = subject[at + 1..].split_at_checked(16)?;
            let is_shape = shape.bytes().all(|byte| byte.is_ascii_hexdigit());
            let key = key.strip_prefix(':').filter(|_| is_shape)?;
            let (namespace, version) = subject[..at].rsplit_once('/')?;
            Some((namespace, version.parse().ok()?, key))
        })
    };
    match parts() {
        Some((namespace, version, key)) => {
            crate::key::Key::new(namespace, version, key).to_string()
        }
        None => subject.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::key_of;

    #[test]
    fn a_key_is_printed_as_a_key() {
        for (subject, key) in [
            ("books/0/0123456789abcdef:book:7", "books:book:7"),
            ("my::books/3/0123456789abcdef:a/b", "my::books@3:a/b"),
            ("other", "other"),
        ] {
            assert_eq!(key_of(subject), key);
        }
    }
}
