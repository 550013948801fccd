//! The one error type of the runtime: what went wrong, and what the caller got instead. It never
//! carries a cached function's own error, nor a URL's password.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What kind of fault an [`Error`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The set-up is wrong and stays wrong until someone changes it: a malformed URL, a second
    /// [`install`](crate::Cache::install), an empty tag, a server that refuses the credentials.
    Config,
    /// The shared store could not be reached or answered with an error.
    Store,
    /// The shared store did not answer in time; or a call has waited for its value as long as its
    /// [`hard_timeout`](crate::Policy::hard_timeout) says.
    Timeout,
    /// A value could not be encoded, or bytes could not be decoded.
    Codec,
    /// The compute that this call waited for failed, and its own error could not be shared.
    LeaderFailed,
    /// A `put` whose value may be older than an invalidation, or that is an `Err`, was refused.
    Refused,
    /// The future given to [`entry`](crate::entry) was not a cached call.
    NotCached,
}

/// A fault of the cache. Cached functions never return it by themselves: a call that meets a
/// fault computes, and the fault is counted and reported. It is what the operations on a
/// [`Cache`](crate::Cache) and on an [`entry`](crate::entry) return.
#[derive(Clone)]
pub struct Error(Arc<Repr>);

struct Repr {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A fault without a cause of its own.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Repr {
            kind,
            message: message.into(),
            source: None,
        }))
    }

    /// A fault caused by another error, whose text becomes part of this one's `Display`.
    pub(crate) fn caused(
        kind: ErrorKind,
        message: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Repr {
            kind,
            message: message.into(),
            source: Some(source.into()),
        }))
    }

    /// What kind of fault this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether trying again later may succeed without anyone changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Store | ErrorKind::Timeout | ErrorKind::LeaderFailed
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
