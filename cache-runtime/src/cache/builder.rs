//! Setting up a cache: the options, their defaults and limits, and what the environment says.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Cache, Inner, Off};
use crate::background::Background;
use crate::backoff::Backoff;
use crate::clock::{Clock, ManualClock};
use crate::codec::Codec;
use crate::error::{Error, ErrorKind};
use crate::flight::Flights;
use crate::local::Local;
use crate::log::View;
use crate::observe::{Observer, Reporter};
use crate::shared::Shared;
use crate::shared::simulated::{Simulated, World};

const LOCAL_CAPACITY: usize = 100_000;
const MAX_VALUE: usize = 8 << 20;
const MAX_TTL: Duration = Duration::from_hours(168);
const MAX_BACKGROUND: usize = 64;
const OP_TIMEOUT: Duration = Duration::from_millis(250);
/// More would cost the server more than they bring.
const MAX_CONNECTIONS: usize = 64;

/// Which invalidations a read is sure to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Consistency {
    /// Those made through this cache, and those of others as soon as their note arrives: less
    /// than a millisecond after they were acknowledged where all is well, and two seconds at the
    /// most. A hit in the local tier costs no traffic.
    #[default]
    Bounded,
    /// All that were acknowledged, anywhere, before the read began. A hit in the local tier then
    /// waits for one small round trip, which all reads of that moment share; a hit in the shared
    /// tier costs what it does otherwise, except in a cluster, where such a round trip goes beside
    /// it. While the server is away, nothing is served or shared: calls compute.
    Strict,
}

/// The settings of a [`Cache`]. Made by [`Cache::builder`], ended by [`build`](Self::build).
///
/// ```
/// # use afresh_runtime as afresh;
/// # async fn example() -> Result<(), afresh::Error> {
/// use afresh::Cache;
/// use std::time::Duration;
///
/// let cache = Cache::builder()
///     .local_capacity(10_000)
///     .default_ttl(Duration::from_secs(300))
///     .build()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder does nothing until `build()`"]
pub struct Builder {
    url: Option<String>,
    prefix: Option<String>,
    local: bool,
    local_capacity: usize,
    local_bytes: Option<u64>,
    max_value: usize,
    max_ttl: Duration,
    default_ttl: Option<Duration>,
    codec: Codec,
    op_timeout: Duration,
    consistency: Consistency,
    connections: usize,
    trust_failover: bool,
    max_background: usize,
    observer: Option<Arc<dyn Observer>>,
    clock: Option<Arc<Clock>>,
    store: Option<Arc<World>>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            url: None,
            prefix: None,
            local: true,
            local_capacity: LOCAL_CAPACITY,
            local_bytes: None,
            max_value: MAX_VALUE,
            max_ttl: MAX_TTL,
            default_ttl: None,
            codec: Codec::default(),
            op_timeout: OP_TIMEOUT,
            consistency: Consistency::default(),
            connections: 1,
            trust_failover: false,
            max_background: MAX_BACKGROUND,
            observer: None,
            clock: None,
            store: None,
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("Builder")
            .field("shared", &self.is_shared())
            .field("prefix", &self.prefix)
            .field("local", &self.local)
            .field("local_capacity", &self.local_capacity)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// Shares the cache through the server at this URL, as [`Cache::connect`] does.
    /// Default: in memory.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// What all names in the server begin with: caches with different prefixes on one server
    /// never touch each other. Default: `AFRESH_PREFIX`, else the executable's name.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Whether values are kept in this process as well as in the server. Default: `true`. A
    /// cache in memory has no other place for them.
    pub fn local(mut self, local: bool) -> Self {
        self.local = local;
        self
    }

    /// How many values are kept in this process, at the most. Default: 100,000.
    pub fn local_capacity(mut self, entries: usize) -> Self {
        self.local_capacity = entries;
        self
    }

    /// How many bytes the values kept in this process may take, about. A value counts with its
    /// encoded size where it was stored or read in the shared tier, else with the size of its
    /// type (what it owns on the heap is not seen). Default: not bounded.
    pub fn local_bytes(mut self, bytes: u64) -> Self {
        self.local_bytes = Some(bytes);
        self
    }

    /// The largest entry, in bytes, that is stored in the server. A larger one is not stored there,
    /// which is reported; this process may keep it. Default: 8 MiB.
    pub fn max_value(mut self, bytes: usize) -> Self {
        self.max_value = bytes;
        self
    }

    /// How many computes go on in the background at one time, as [policies](crate::Policy) ask for
    /// them. Where there is no room for one more, it is skipped, which is counted: the next call
    /// tries again. Default: 64.
    pub fn max_background(mut self, computes: usize) -> Self {
        self.max_background = computes;
        self
    }

    /// The longest time to live; longer ones are cut to it. Default: 7 days.
    pub fn max_ttl(mut self, ttl: Duration) -> Self {
        self.max_ttl = ttl;
        self
    }

    /// The time to live of functions that name none. Default: none, and then they are not stored.
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.default_ttl = Some(ttl);
        self
    }

    /// How values become bytes. Entries say how they were written: a fleet can change this one
    /// process at a time. Default: [`Codec::Postcard`].
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// How long one operation on the server may take before the call goes on without it.
    /// Default: 250 ms.
    pub fn op_timeout(mut self, timeout: Duration) -> Self {
        self.op_timeout = timeout;
        self
    }

    /// Which invalidations a read is sure to see. Default: [`Consistency::Bounded`]. In memory the
    /// two are the same: there is no other process.
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.consistency = consistency;
        self
    }

    /// How many connections the reads are spread over, 1 to 64; in a cluster, to each node. Each
    /// of them follows the log. Default: 1, which is enough until one connection's task is busy all
    /// of the time.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Whether what is stored is believed after another server has taken the primary's place.
    /// Default: `false`: everything misses then, because the new primary may lack the last
    /// invalidations that the old one acknowledged. `true` keeps the cache warm, and serves what
    /// such a lost invalidation named until its ttl is over.
    pub fn trust_failover(mut self, trust: bool) -> Self {
        self.trust_failover = trust;
        self
    }

    /// Who is told of [events](crate::Event).
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The clock that the cache goes by, for tests: see
    /// [`ManualClock`](crate::testing::ManualClock). Default: the machine's. Not with a
    /// [`url`](Self::url): a server keeps its own time.
    pub fn clock(mut self, clock: &ManualClock) -> Self {
        self.clock = Some(Arc::clone(&clock.0));
        self
    }

    /// Shares the cache through a store of a test's, and goes by its clock.
    pub(crate) fn store(mut self, store: &Arc<World>) -> Self {
        self.clock = Some(Arc::clone(store.clock()));
        self.store = Some(Arc::clone(store));
        self
    }

    fn is_shared(&self) -> bool {
        self.url.is_some() || self.store.is_some()
    }

    /// Makes the cache. With a [`url`](Self::url), waits until the server has been tried once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where a setting cannot be used; the message says which and what to
    /// write. A server that cannot be reached is no error.
    pub async fn build(self) -> Result<Cache, Error> {
        self.check()?;
        let cache = self.assemble()?;
        if let Some(shared) = &cache.0.shared
            && let Err(error) = shared.reached().await
        {
            tracing::warn!(target: "afresh", %error, "starting without the shared store; calls compute until it is reached");
        }
        Ok(cache)
    }

    fn check(&self) -> Result<(), Error> {
        let zero = |option: &str, instead: &str| {
            Err(Error::new(
                ErrorKind::Config,
                format!("`{option}` is zero: {instead}"),
            ))
        };
        if self.local_capacity == 0 {
            return zero(
                "local_capacity",
                "write `local(false)` to keep nothing in this process",
            );
        }
        if self.local_bytes == Some(0) {
            return zero(
                "local_bytes",
                "write `local(false)` to keep nothing in this process",
            );
        }
        if self.default_ttl.is_some_and(|ttl| ttl.is_zero()) {
            return zero("default_ttl", "leave it out where functions name their own");
        }
        if self.max_ttl.is_zero() {
            return zero("max_ttl", "nothing could be stored; write a duration");
        }
        if self.op_timeout.is_zero() {
            return zero(
                "op_timeout",
                "no operation could end in time; write a duration",
            );
        }
        if !(1..=MAX_CONNECTIONS).contains(&self.connections) {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "`connections` is {}: write 1 to {MAX_CONNECTIONS}",
                    self.connections
                ),
            ));
        }
        if self.store.is_some() && self.url.is_some() {
            return Err(Error::new(
                ErrorKind::Config,
                "`url` on the builder of a `testing::Store`: a cache has one store; take \
                 `Cache::builder()` for the server",
            ));
        }
        let own = |store: &Arc<World>| {
            self.clock
                .as_ref()
                .is_some_and(|clock| Arc::ptr_eq(clock, store.clock()))
        };
        if !self.store.as_ref().is_none_or(own) {
            return Err(Error::new(
                ErrorKind::Config,
                "`clock` on the builder of a `testing::Store`: a store and its caches go by one \
                 clock; give it to `Store::with_clock`",
            ));
        }
        if self.clock.is_some() && self.url.is_some() {
            return Err(Error::new(
                ErrorKind::Config,
                "`clock` with `url`: a server keeps its own time, which no clock of a test moves; \
                 leave out one of them, or move this process alone by `testing::advance`",
            ));
        }
        if !self.local && !self.is_shared() {
            return Err(Error::new(
                ErrorKind::Config,
                "`local(false)` without `url` leaves no place for values: give a URL, or leave it out",
            ));
        }
        Ok(())
    }

    /// A cache whose settings have not been touched, without a server.
    pub(crate) fn by_default(self) -> Cache {
        match self.assemble() {
            Ok(cache) => cache,
            // Nothing can be wrong with the defaults; but a cache that only computes is better
            // than a panic should that ever change.
            Err(error) => Self::default().broken(error),
        }
    }

    /// The default cache of a process that installs none.
    pub(super) fn by_environment(mut self) -> Cache {
        let url = match std::env::var("AFRESH_URL") {
            Ok(url) => url,
            Err(std::env::VarError::NotPresent) => return self.by_default(),
            Err(std::env::VarError::NotUnicode(_)) => String::new(),
        };
        self.url = Some(url);
        match self.assemble() {
            Ok(cache) => cache,
            Err(error) => {
                let error = Error::caused(
                    ErrorKind::Config,
                    "`AFRESH_URL` cannot be used, so nothing is cached",
                    error.to_string(),
                );
                Self::default().broken(error)
            }
        }
    }

    fn broken(self, why: Error) -> Cache {
        let reporter = Arc::new(Reporter::new(self.observer.clone()));
        reporter.misuse(
            "the default cache could not be set up; every call computes",
            &why,
        );
        let (view, clock) = (
            Arc::new(View::unattached(false)),
            Arc::new(Clock::default()),
        );
        self.finish(view, clock, reporter, None, Some(Off::Broken(why)))
    }

    fn assemble(self) -> Result<Cache, Error> {
        let reporter = Arc::new(Reporter::new(self.observer.clone()));
        let clock = self.clock.clone().unwrap_or_default();
        let disabled =
            std::env::var_os("AFRESH_DISABLE").is_some_and(|set| set != "0" && !set.is_empty());
        let off = disabled.then_some(Off::Disabled);
        let view = Arc::new(if self.is_shared() {
            View::unattached(self.consistency == Consistency::Strict)
        } else {
            View::in_memory()
        });
        let shared = match (&self.store, &self.url) {
            (Some(store), _) => Some(self.join(store, &view, &reporter)),
            (None, Some(url)) => Some(self.share(url, &view, &clock, &reporter)?),
            (None, None) => None,
        };
        Ok(self.finish(view, clock, reporter, shared, off))
    }

    fn join(
        &self,
        store: &Arc<World>,
        view: &Arc<View>,
        reporter: &Arc<Reporter>,
    ) -> Arc<dyn Shared> {
        let (view, reporter) = (Arc::clone(view), Arc::clone(reporter));
        Arc::new(Simulated::new(store, view, reporter, self.op_timeout))
    }

    #[cfg(feature = "redis")]
    fn share(
        &self,
        url: &str,
        view: &Arc<View>,
        clock: &Arc<Clock>,
        reporter: &Arc<Reporter>,
    ) -> Result<Arc<dyn Shared>, Error> {
        use crate::shared::redis::{Config, RedisShared, Settings};

        let prefix = self.prefix.clone().unwrap_or_else(default_prefix);
        let settings = Settings {
            op_timeout: self.op_timeout,
            connections: self.connections,
            longest: crate::clock::millis(self.max_ttl).max(1),
            trust_failover: self.trust_failover,
            max_value: self.max_value,
        };
        let config = Config::new(url, &prefix, settings)?;
        let (view, clock, reporter) = (Arc::clone(view), Arc::clone(clock), Arc::clone(reporter));
        Ok(Arc::new(RedisShared::new(config, view, clock, reporter)))
    }

    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_self, reason = "the same shape as with the feature")]
    fn share(
        &self,
        _: &str,
        _: &Arc<View>,
        _: &Arc<Clock>,
        _: &Arc<Reporter>,
    ) -> Result<Arc<dyn Shared>, Error> {
        Err(Error::new(
            ErrorKind::Config,
            "a shared store needs the feature `redis` of `afresh`, which this build leaves out",
        ))
    }

    fn finish(
        self,
        view: Arc<View>,
        clock: Arc<Clock>,
        reporter: Arc<Reporter>,
        shared: Option<Arc<dyn Shared>>,
        off: Option<Off>,
    ) -> Cache {
        let keeps = self.local || shared.is_none();
        let local = keeps.then(|| Local::new(self.local_capacity, self.local_bytes, seed()));
        Cache::new(Inner {
            clock,
            view,
            local,
            flights: Flights::new(),
            flights_sync: Flights::new(),
            leases: Arc::default(),
            shared,
            reporter,
            codec: self.codec,
            default_ttl: self.default_ttl,
            max_ttl: self.max_ttl,
            max_value: self.max_value,
            strict: self.consistency == Consistency::Strict && self.is_shared(),
            backoff: Backoff::default(),
            background: Background::new(self.max_background),
            off,
        })
    }
}

/// A secret of this process for the hashes of keys.
fn seed() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        // Less secret, still different in each process.
        Err(_) => std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0_u8),
    }
}

/// `AFRESH_PREFIX`, else the executable's name, with what a name may not contain replaced.
#[cfg(feature = "redis")]
fn default_prefix() -> String {
    if let Ok(prefix) = std::env::var("AFRESH_PREFIX") {
        return prefix;
    }
    let name = std::env::current_exe().ok();
    let name = name.as_deref().and_then(std::path::Path::file_stem);
    let name = name.map_or_else(|| "afresh".into(), std::ffi::OsStr::to_string_lossy);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars()
        .map(|c| if plain(c) { c } else { '-' })
        .take(128)
        .collect()
}
