//! The plain form of a cached call, for where an attribute cannot stand: the same chain, written
//! by hand.

use std::time::Duration;

use crate::cache::Cache;
use crate::call::{self, enter, site};
use crate::key::{KeyPart, KeyWriter};
use crate::output::{Returns, Storable};
use crate::policy::Policy;
use crate::spec::{Flying, Spec};
use crate::tag::Tag;

const LEASE: Duration = Duration::from_secs(10);
const WAIT: Duration = Duration::from_secs(30);

/// What [`Cache::get_or_compute`] looks up, and how it stores what was computed.
///
/// ```
/// use std::time::Duration;
/// # use afresh_runtime as afresh;
/// use afresh::Lookup;
///
/// let lookup = Lookup::new("books", &7)
///     .ttl(Duration::from_secs(1_800))
///     .tags(["books", "book:7"])
///     .singleflight();
/// ```
#[derive(Debug)]
#[must_use = "a look-up does nothing until it is given to `Cache::get_or_compute`"]
pub struct Lookup {
    spec: Spec,
    key: KeyWriter,
    ttl: Option<Duration>,
    tags: Vec<Tag>,
    policy: Option<Policy>,
}

impl Lookup {
    /// The entry of this namespace under this key. Several keys make a tuple: `&(user, page)`.
    /// What is stored under one namespace should be of one type; another type is another entry.
    #[track_caller]
    pub fn new<K: KeyPart + ?Sized>(namespace: &'static str, key: &K) -> Self {
        let place = std::panic::Location::caller();
        let mut writer = KeyWriter::new();
        writer.part(key);
        Self {
            spec: Spec::new("get_or_compute", place.file(), place.line(), 0).namespace(namespace),
            key: writer,
            ttl: None,
            tags: Vec::new(),
            policy: None,
        }
    }

    /// The time to live, counted from the commit. Required unless the cache has a `default_ttl`;
    /// zero means do not store.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Labels to invalidate by.
    pub fn tags<I>(mut self, tags: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Tag>,
    {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// What is done where the value cannot be fresh. Only what needs no background work and no
    /// timeout: `stale_if_error`, `backoff` and `jitter`.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.spec.policy = true;
        self.policy = Some(policy);
        self
    }

    /// The version of what is stored: entries of another are never read.
    pub fn version(mut self, version: u32) -> Self {
        self.spec.version = version;
        self
    }

    /// At most one compute at a time, in this process and across processes.
    pub fn singleflight(self) -> Self {
        self.singleflight_within(LEASE, WAIT)
    }

    /// As [`singleflight`](Self::singleflight), with a lease and a wait of your own. Defaults: 10
    /// and 30 seconds.
    pub fn singleflight_within(mut self, lease: Duration, wait: Duration) -> Self {
        self.spec.singleflight = Some(Flying { lease, wait });
        self
    }
}

impl Cache {
    /// The value under a key, computed if it is not there: what the attribute `cached` does, as a
    /// call. The future is polled only where a value must be computed. `Err` is never stored, and
    /// not shared: calls that wait for a compute that fails compute for themselves.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use afresh_runtime as afresh;
    /// use afresh::{Cache, Lookup};
    ///
    /// # async fn example(cache: &Cache) -> Result<(), std::io::Error> {
    /// let lookup = Lookup::new("sizes", "Cargo.toml").ttl(Duration::from_secs(60)).tags(["files"]);
    /// let size: u64 = cache
    ///     .get_or_compute(lookup, async { Ok::<_, std::io::Error>(std::fs::metadata("Cargo.toml")?.len()) })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the compute, untouched. A fault of the cache is not one of them.
    pub async fn get_or_compute<T, E, F>(&self, lookup: Lookup, compute: F) -> Result<T, E>
    where
        T: Storable,
        E: 'static,
        F: Future<Output = Result<T, E>>,
    {
        let Lookup {
            spec,
            key,
            ttl,
            tags,
            policy,
        } = lookup;
        let kit = Returns::<Result<T, E>>::NEW.shape().errors().stored();
        enter(kit, &spec, site(&|| ()), Some(self), |writer| *writer = key)
            .run(move |start| {
                let start = start.tags(tags);
                if let Some(ttl) = ttl {
                    start.ttl(ttl);
                }
                if let Some(policy) = policy {
                    call::policy(&policy).limits(start, ());
                }
                start.body(compute)
            })
            .await
    }
}
