//! Each library as its users would set it up against a stampede across processes. Whose body ends
//! when is noted by the body itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::process::now;

/// Those that are measured, as they are told to a process.
pub(crate) const ALL: [&str; 5] = ["afresh", "cachekit", "amalgam", "hitbox", "cached"];

/// The runs of the body in this process, and the end of the last.
pub(crate) static RUNS: AtomicU64 = AtomicU64::new(0);
pub(crate) static ENDED: AtomicU64 = AtomicU64::new(0);

/// What is computed: 50 ms of waiting for a database.
async fn body(id: u64) -> u64 {
    RUNS.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(50)).await;
    ENDED.store(now(), Ordering::SeqCst);
    id
}

/// Something that can be called many times at once.
pub(crate) trait Library: Send + Sync + 'static {
    fn get(&self, id: u64) -> impl Future<Output = u64> + Send;
}

pub(crate) mod ours {
    use afresh::{Cache, cached};

    #[cached(ttl = 3600, key = "{id}", tags = ["numbers"], singleflight, cache = cache)]
    async fn number(cache: &Cache, id: u64) -> u64 {
        super::body(id).await
    }

    pub(crate) struct Ours(Cache);

    impl Ours {
        pub(crate) async fn new(url: &str) -> Self {
            Self(Cache::builder().url(url).build().await.expect("a cache"))
        }
    }

    impl super::Library for Ours {
        async fn get(&self, id: u64) -> u64 {
            number(&self.0, id).await
        }
    }
}

pub(crate) mod cachekit {
    use cachekit::prelude::*;

    #[cachekit(client = cache, ttl = 3600, interop = "number", namespace = "numbers")]
    async fn number(cache: &CacheKit, id: u64) -> Result<u64, CachekitError> {
        Ok(super::body(id).await)
    }

    pub(crate) struct Cachekit(CacheKit);

    impl Cachekit {
        pub(crate) async fn new(url: &str) -> Self {
            let builder = CacheKit::production(url).await.expect("a server");
            Self(builder.build().expect("a client"))
        }
    }

    impl super::Library for Cachekit {
        async fn get(&self, id: u64) -> u64 {
            number(&self.0, id).await.expect("a number")
        }
    }
}

pub(crate) mod amalgam {
    use std::sync::Arc;
    use std::time::Duration;

    use amalgam::provider::{
        Backplane, DistributedCache, DistributedLocker, DistributedSerializer, JsonSerializer,
        RedisBackplane, RedisDistributedCache, RedisDistributedLocker,
    };
    use amalgam::{Cache, EntryOptions, FactoryError, source};

    pub(crate) struct Amalgam(Cache<u64>);

    impl Amalgam {
        pub(crate) async fn new(url: &str) -> Self {
            let store = RedisDistributedCache::connect(url.to_owned())
                .await
                .expect("a server");
            let backplane = RedisBackplane::connect(url.to_owned())
                .await
                .expect("a server");
            let locker = RedisDistributedLocker::connect(url.to_owned())
                .await
                .expect("a server");
            let cache = Cache::builder()
                .default_options(EntryOptions::new(Duration::from_hours(1)))
                .distributed(Arc::new(store) as Arc<dyn DistributedCache>)
                .serializer(Arc::new(JsonSerializer) as Arc<dyn DistributedSerializer<u64>>)
                .backplane(Arc::new(backplane) as Arc<dyn Backplane>)
                .distributed_locker(Arc::new(locker) as Arc<dyn DistributedLocker>)
                .try_build()
                .expect("a cache");
            Self(cache)
        }
    }

    impl super::Library for Amalgam {
        async fn get(&self, id: u64) -> u64 {
            self.0
                .get_or_set(
                    format!("number:{id}"),
                    source::factory(move |ctx| async move {
                        Ok::<_, FactoryError>(ctx.value(super::body(id).await))
                    }),
                )
                .tags(["numbers"])
                .await
                .expect("a number")
        }
    }
}

pub(crate) mod hitbox {
    use std::time::Duration;

    use hitbox::concurrency::BroadcastConcurrencyManager;
    use hitbox::policy::{ConcurrencyLimit, PolicyConfig};
    use hitbox_fn::prelude::*;
    use hitbox_redis::{ConnectionMode, RedisBackend};

    #[derive(KeyExtract)]
    struct Id(u64);

    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, CacheableResponse)]
    pub(crate) struct Number {
        number: u64,
    }

    #[cached]
    async fn number(id: Id) -> Result<Number, ()> {
        Ok(Number {
            number: super::body(id.0).await,
        })
    }

    pub(crate) struct Hitbox(Cache<RedisBackend, BroadcastConcurrencyManager<Result<Number, ()>>>);

    impl Hitbox {
        pub(crate) fn new(url: &str) -> Self {
            let policy = PolicyConfig::builder()
                .ttl(Duration::from_hours(1))
                .concurrency(ConcurrencyLimit::new(1).expect("a limit"))
                .build();
            let backend = RedisBackend::builder()
                .connection(ConnectionMode::single(url))
                .build()
                .expect("a URL");
            let cache = Cache::builder()
                .backend(backend)
                .policy(policy)
                .concurrency_manager(BroadcastConcurrencyManager::new())
                .build();
            Self(cache)
        }
    }

    impl super::Library for Hitbox {
        async fn get(&self, id: u64) -> u64 {
            number(Id(id))
                .cache(&self.0)
                .await
                .expect("a number")
                .number
        }
    }
}

pub(crate) mod cached {
    use std::sync::OnceLock;

    use cached::AsyncRedisCache;
    use cached::macros::concurrent_cached;
    use cached::time::Duration;

    /// Where its store, which is a static, finds the server.
    static SERVER: OnceLock<String> = OnceLock::new();

    #[concurrent_cached(
        map_error = "|error| format!(\"{error:?}\")",
        ty = "AsyncRedisCache<u64, u64>",
        create = r#"{
            AsyncRedisCache::builder("bench")
                .connection_string(SERVER.get().expect("set before"))
                .ttl(Duration::from_secs(3600))
                .build()
                .await
                .expect("a store")
        }"#
    )]
    async fn number(id: u64) -> Result<u64, String> {
        Ok(super::body(id).await)
    }

    pub(crate) struct Cached;

    impl Cached {
        pub(crate) fn new(url: &str) -> Self {
            SERVER.get_or_init(|| url.to_owned());
            Self
        }
    }

    impl super::Library for Cached {
        async fn get(&self, id: u64) -> u64 {
            number(id).await.expect("a number")
        }
    }
}

/// Calls it as often at once, and returns when the last has returned.
pub(crate) async fn stampede<L: Library>(library: &Arc<L>, callers: usize, id: u64) -> u64 {
    let all: Vec<_> = (0..callers)
        .map(|_| {
            let library = Arc::clone(library);
            tokio::spawn(async move {
                assert_eq!(library.get(id).await, id);
                now()
            })
        })
        .collect();
    let mut last = 0;
    for caller in all {
        last = last.max(caller.await.expect("a caller"));
    }
    last
}
