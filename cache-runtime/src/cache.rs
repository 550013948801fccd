//! `Cache`: a log, a local tier, perhaps a shared one, and how they were set up; and which cache a
//! call uses by default. What a call does with them is `call`'s.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use crate::background::Background;
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::codec::Codec;
use crate::error::{Error, ErrorKind};
use crate::flight::Flights;
use crate::lease::{Holders, Lease};
use crate::local::Local;
use crate::log::View;
use crate::observe::{Event, Reporter, Stats};
use crate::scope::{self, Flag};
use crate::shared::Shared;
use crate::spec::Spec;
use crate::tag::{Tag, TagHash};
use crate::timer;

mod builder;
mod debt;

pub use builder::{Builder, Consistency};
pub(crate) use debt::Debt;

/// A cache: a cheap handle, to be cloned freely. All clones share one log and its entries.
///
/// ```
/// # use afresh_runtime as afresh;
/// # async fn example() -> Result<(), afresh::Error> {
/// use afresh::Cache;
///
/// let cache = Cache::in_memory();
/// cache.invalidate(["books"]).await?;
/// println!("{}", cache.stats());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cache(
    pub(crate) Arc<Inner>,
    #[expect(dead_code, reason = "what counts is when the last of them is dropped")]
    Option<Arc<Handles>>,
);

/// All handles but those of background work: when the last of them is dropped, that is given up.
struct Handles(Weak<Inner>);

impl Drop for Handles {
    fn drop(&mut self) {
        if let Some(inner) = self.0.upgrade() {
            inner.abandon_background();
        }
    }
}

/// As many tags as one invalidation may name: every process reads its record.
const MAX_TAGS: usize = 8_192;

/// How long [`Cache::shutdown`] waits.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// What all handles on one cache share.
pub(crate) struct Inner {
    pub(crate) clock: Arc<Clock>,
    pub(crate) view: Arc<View>,
    pub(crate) local: Option<Local>,
    pub(crate) flights: Arc<Flights<Lease>>,
    /// Those of sync functions: an async call never waits for one of them, or they for it.
    pub(crate) flights_sync: Arc<Flights<Lease>>,
    pub(crate) leases: Arc<Holders>,
    pub(crate) shared: Option<Arc<dyn Shared>>,
    pub(crate) reporter: Arc<Reporter>,
    pub(crate) codec: Codec,
    pub(crate) default_ttl: Option<Duration>,
    pub(crate) max_ttl: Duration,
    pub(crate) max_value: usize,
    /// Whether a read proves the view before it believes it: [`Consistency::Strict`], where there
    /// is a log that others write to.
    pub(crate) strict: bool,
    /// The keys that could not be computed, while there was a value to serve.
    pub(crate) backoff: Backoff,
    pub(crate) background: Arc<Background>,
    /// Why nothing is ever looked up or stored, where that is so.
    pub(crate) off: Option<Off>,
}

impl Inner {
    /// What tells this cache from others while it is there.
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn tell_invalidated(&self, version: u64, tags: &[TagHash]) {
        self.reporter.counters.invalidations.add();
        let named = |tag: &&TagHash| **tag != TagHash::any();
        let tags = tags.iter().filter(named).count();
        self.reporter.tell(&Event::Invalidated { version, tags });
    }

    /// Gives up what goes on in the background, and says so.
    fn abandon_background(&self) -> usize {
        let computes = self.background.abandon();
        if computes > 0 {
            tracing::warn!(target: "afresh", computes, "background computes were given up");
            self.reporter.tell(&Event::Abandoned { computes });
        }
        computes
    }

    /// The flights that calls of a function may join.
    pub(crate) fn flights_of(&self, spec: &Spec) -> &Arc<Flights<Lease>> {
        if spec.sync {
            &self.flights_sync
        } else {
            &self.flights
        }
    }
}

/// Why a cache does nothing but compute.
#[derive(Clone, Debug)]
pub(crate) enum Off {
    /// `AFRESH_DISABLE` is set.
    Disabled,
    /// It could not be set up. Invalidations err: others may share the log it should have had.
    Broken(Error),
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("shared", &self.0.shared)
            .field("off", &self.0.off)
            .finish_non_exhaustive()
    }
}

impl AsRef<Self> for Cache {
    fn as_ref(&self) -> &Self {
        self
    }
}

static DEFAULT: OnceLock<Cache> = OnceLock::new();

thread_local! {
    /// The caches of the `with_cache` scopes that are being polled, innermost last.
    static SCOPED: RefCell<Vec<Cache>> = const { RefCell::new(Vec::new()) };
}

impl Cache {
    /// A cache in this process, with the defaults of [`builder`](Self::builder): no server, no
    /// set-up, and no Tokio needed.
    #[must_use]
    pub fn in_memory() -> Self {
        Builder::default().by_default()
    }

    /// A cache shared through Redis or Valkey: `redis://user:password@host:port/db`,
    /// `redis+unix:///path/to/socket`, `redis-sentinel://host:port,host:port/name` or
    /// `redis-cluster://host:port,host:port`; with the feature `tls` also `rediss://` and its like.
    /// The guide to Redis has them all.
    ///
    /// Waits until the server has been tried once, three seconds at the most. A server that is
    /// not there does not fail this: calls compute until it is, and that is reported.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where the URL cannot be used.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::builder().url(url).build().await
    }

    /// A cache with settings of its own.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Makes this the cache that annotated functions use where they name no other. Once per
    /// process, before the first of them is called.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where a default was installed already, or [`global`](Self::global)
    /// has been used and chose one.
    pub fn install(self) -> Result<(), Error> {
        DEFAULT.set(self).map_err(|_| {
            Error::new(
                ErrorKind::Config,
                "there is a default cache already: call `install()` once, at start-up, before \
                 any cached function is called",
            )
        })
    }

    /// The default cache: the [installed](Self::install) one; else one connected to the URL in
    /// `AFRESH_URL`; else one in memory. A URL that cannot be used fails nothing here: every call
    /// computes, nothing is stored, invalidations err, and it is reported once.
    #[must_use]
    pub fn global() -> Self {
        Self::current(None).clone()
    }

    /// The default cache by reference, for a call's way in.
    #[inline]
    pub(crate) fn default_ref() -> &'static Self {
        match DEFAULT.get() {
            Some(cache) => cache,
            None => DEFAULT.get_or_init(|| Builder::default().by_environment()),
        }
    }

    /// The cache of a call: the one it names, else that of the innermost `with_cache`, else the
    /// default.
    pub(crate) fn current(named: Option<&Self>) -> Self {
        if let Some(named) = named {
            return named.clone();
        }
        if scope::is_open(Flag::CACHE)
            && let Some(scoped) = SCOPED.with_borrow(|scoped| scoped.last().cloned())
        {
            return scoped;
        }
        Self::default_ref().clone()
    }

    pub(crate) fn new(inner: Inner) -> Self {
        let inner = Arc::new(inner);
        let handles = Handles(Arc::downgrade(&inner));
        Self(inner, Some(Arc::new(handles)))
    }

    /// A handle for background work, which does not keep that going.
    pub(crate) fn for_background(&self) -> Self {
        Self(Arc::clone(&self.0), None)
    }

    /// Whether two handles lead to one cache.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Makes this the default on this thread until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered {
        SCOPED.with_borrow_mut(|scoped| scoped.push(self.clone()));
        Entered {
            _flag: scope::open(Flag::CACHE),
        }
    }

    /// Invalidates every entry that carries one of these tags, here and wherever the log is
    /// shared, in one atomic step. When this returns `Ok`, no reader that [the
    /// promise](crate#what-is-promised) covers gets a value computed before.
    ///
    /// No tags, or tags that nothing carries, invalidate nothing. A tag is an exact string.
    ///
    /// ```
    /// # use afresh_runtime as afresh;
    /// # async fn example() -> Result<(), afresh::Error> {
    /// # let cache = afresh::Cache::in_memory();
    /// let id = 7;
    /// cache.invalidate(["books".to_owned(), format!("book:{id}")]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for an empty tag, or more than 8,192 of them: nothing was invalidated.
    /// Otherwise the shared store did not acknowledge it: the invalidation is kept and tried again
    /// until it lands, and until then this process serves nothing with these tags.
    pub async fn invalidate<I>(&self, tags: I) -> Result<(), Error>
    where
        I: IntoIterator,
        I::Item: Into<Tag>,
    {
        let tags: Vec<Tag> = tags.into_iter().map(Into::into).collect();
        if tags.len() > MAX_TAGS {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "{} tags at once are more than one record takes ({MAX_TAGS}): nothing was \
                     invalidated. Give the entries a tag they share, or invalidate their namespace",
                    tags.len()
                ),
            ));
        }
        if tags.iter().any(Tag::is_empty) {
            return Err(Error::new(
                ErrorKind::Config,
                "an empty tag invalidates nothing: write the tag's text",
            ));
        }
        self.append(tags.iter().map(Tag::hash).collect()).await
    }

    /// Invalidates every entry of a namespace.
    ///
    /// # Errors
    ///
    /// As [`invalidate`](Self::invalidate).
    pub async fn invalidate_namespace(&self, namespace: &str) -> Result<(), Error> {
        if namespace.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                "an empty namespace holds nothing",
            ));
        }
        self.append(vec![TagHash::namespace(namespace)]).await
    }

    /// Invalidates every entry of this cache.
    ///
    /// # Errors
    ///
    /// As [`invalidate`](Self::invalidate).
    pub async fn invalidate_all(&self) -> Result<(), Error> {
        self.append(vec![TagHash::all()]).await
    }

    /// Appends to the log. Dropped before the acknowledgement, it leaves a debt.
    pub(crate) async fn append(&self, tags: Vec<TagHash>) -> Result<(), Error> {
        if tags.is_empty() {
            return Ok(());
        }
        let mut debt = Debt::new(self, tags);
        debt.pay().await
    }

    /// Finishes what goes on in the background, and gives up the connections: waits until the
    /// computes that [policies](crate::Policy) have put there have ended and every invalidation that
    /// is owed has been acknowledged, ten seconds at the most. Call it before the process ends: what is
    /// owed then is lost.
    ///
    /// Nothing is computed in the background from here on. With a shared store, calls that come later
    /// compute, and invalidations err.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Store`] where invalidations are still owed, [`ErrorKind::Timeout`] where only
    /// computes were left, which are given up; the message says how many. What others have stored
    /// under tags that are owed may be older than the data until its ttl is over.
    ///
    /// ```
    /// # use afresh_runtime as afresh;
    /// # async fn example() -> Result<(), afresh::Error> {
    /// # let cache = afresh::Cache::in_memory();
    /// if let Err(error) = cache.shutdown().await {
    ///     eprintln!("{error}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn shutdown(&self) -> Result<(), Error> {
        self.shutdown_within(SHUTDOWN).await
    }

    /// As [`shutdown`](Self::shutdown), with a time of your own to wait.
    ///
    /// # Errors
    ///
    /// As [`shutdown`](Self::shutdown).
    pub async fn shutdown_within(&self, limit: Duration) -> Result<(), Error> {
        let began = self.0.clock.unadvanced();
        self.0.background.close();
        let idle = timer::timeout(limit, self.0.background.idle(None)).await;
        let left = if idle.is_none() {
            self.0.abandon_background()
        } else {
            0
        };
        let took = Duration::from_millis(self.0.clock.unadvanced() - began);
        self.settle(limit.saturating_sub(took)).await?;
        match left {
            0 => Ok(()),
            left => Err(Error::new(
                ErrorKind::Timeout,
                format!("{left} computes in the background had not ended and were given up"),
            )),
        }
    }

    /// Waits for what is owed, and gives up the connections.
    async fn settle(&self, limit: Duration) -> Result<(), Error> {
        let Some(shared) = &self.0.shared else {
            return Ok(());
        };
        shared.finish(limit).await?;
        shared.close();
        // Its deadline would be up to two seconds away.
        self.0.view.end_trust();
        match self.0.view.owed() {
            0 => Ok(()),
            owed => Err(Error::new(
                ErrorKind::Store,
                format!(
                    "invalidations of {owed} tags are still owed to the shared log and are given \
                     up: what is stored under these may be older than the data"
                ),
            )),
        }
    }

    /// How this cache has fared since it was made.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.0.reporter.stats();
        stats.owed = self.0.view.owed() as u64;
        stats.marks = self.0.view.marks() as u64;
        stats.background = self.0.background.len() as u64;
        stats.local_entries = self.0.local.as_ref().map_or(0, |local| local.len() as u64);
        stats
    }
}

/// A `with_cache` scope on this thread.
#[derive(Debug)]
pub(crate) struct Entered {
    _flag: scope::Restore,
}

impl Drop for Entered {
    fn drop(&mut self) {
        SCOPED.with_borrow_mut(Vec::pop);
    }
}
