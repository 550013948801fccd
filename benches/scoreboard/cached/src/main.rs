//! cached: `#[cached]` in memory with one writer per key, which its documentation names for
//! concurrent first calls; in Redis by its connection manager, which it names for reconnecting.

use std::sync::OnceLock;
use std::time::Duration;

use afresh_behaviours::source::{self, Failed};
use afresh_behaviours::{Behaviour, Client, Invalidates, Judged, Library, Outcome, Redis};
use cached::macros::{cached, concurrent_cached};
use cached::{AsyncRedisCache, Cached, ConcurrentCachedAsync, RedisCacheError};

#[cached(max_size = 10_000, ttl_secs = 600, sync_writes = "by_key")]
async fn book(id: i64) -> Result<i64, Failed> {
    source::read(id).await
}

#[cached(max_size = 10_000, ttl_secs = 600)]
async fn pair(first: String, second: String) -> String {
    source::says(source::join(&first, &second)).await
}

#[concurrent_cached(ty = "AsyncRedisCache<i64, i64>", create = { store().await })]
async fn shared_book(id: i64) -> Result<i64, BookError> {
    Ok(source::read(id).await?)
}

async fn store() -> AsyncRedisCache<i64, i64> {
    AsyncRedisCache::builder("book")
        .ttl(Duration::from_mins(10))
        .connection_string(URL.get().expect("set at the start"))
        .connection_manager(true)
        .build()
        .await
        .expect("error building the cache in Redis")
}

/// The shortest form, which goes by the environment: it has no place for a URL.
mod first {
    #[cached::macros::concurrent_cached(redis = true, ttl_secs = 600)]
    pub(crate) async fn get(id: i64) -> Result<i64, super::BookError> {
        Ok(super::source::says(id - 6).await)
    }
}

mod second {
    #[cached::macros::concurrent_cached(redis = true, ttl_secs = 600)]
    pub(crate) async fn get(id: i64) -> Result<i64, super::BookError> {
        Ok(super::source::says(id - 5).await)
    }
}

/// What the functions fail with; the store's errors are the caller's too.
#[derive(Clone, Debug)]
struct BookError(String);

impl From<Failed> for BookError {
    fn from(failed: Failed) -> Self {
        Self(failed.to_string())
    }
}

impl From<RedisCacheError> for BookError {
    fn from(error: RedisCacheError) -> Self {
        Self(format!("{error:?}"))
    }
}

static URL: OnceLock<String> = OnceLock::new();

/// In memory.
#[derive(Clone)]
struct Memory;

impl Client for Memory {
    async fn read(&self, id: i64) -> Outcome {
        book(id).await.map_err(|failed| failed.to_string())
    }
}

impl Invalidates for Memory {
    async fn invalidate(&self, id: i64) -> Result<(), String> {
        let _ = BOOK.write().await.cache_remove(&id);
        Ok(())
    }
}

/// In Redis. A function has one client for the whole process, and no local tier.
#[derive(Clone)]
struct Shared;

impl Client for Shared {
    async fn read(&self, id: i64) -> Outcome {
        shared_book(id).await.map_err(|error| error.0)
    }
}

impl Invalidates for Shared {
    async fn invalidate(&self, id: i64) -> Result<(), String> {
        let done = store().await.async_cache_remove(&id).await;
        done.map(drop).map_err(|error| format!("{error:?}"))
    }
}

async fn connect(url: String) -> Result<Shared, String> {
    URL.get_or_init(|| url);
    Ok(Shared)
}

async fn same_name(redis: Redis) -> Judged {
    if let Some(judged) = redis.in_environment("CACHED_REDIS_CONNECTION_STRING") {
        return judged;
    }
    let first = async || first::get(7).await.map_err(|error| error.0);
    let second = async || second::get(7).await.map_err(|error| error.0);
    afresh_behaviours::same_name(first, second).await
}

const MEMORY: &str = "#[cached(sync_writes = \"by_key\")]";
const REDIS: &str = "#[concurrent_cached], connection_manager(true)";

fn main() {
    let library = Library {
        name: "cached",
        version: "4.1.0",
    };
    let rows = [
        Behaviour::HeadOfLineBlocking.asked(MEMORY, async |_| {
            afresh_behaviours::head_of_line(&Memory).await
        }),
        Behaviour::FailingStampede.asked(MEMORY, async |_| {
            afresh_behaviours::failing_stampede(&[Memory]).await
        }),
        Behaviour::LeaderCancelled.asked(MEMORY, async |_| {
            afresh_behaviours::leader_cancelled(&[Memory]).await
        }),
        Behaviour::LongBody.asked(MEMORY, async |_| {
            afresh_behaviours::long_body(&[Memory]).await
        }),
        Behaviour::SequentialHits.asked(MEMORY, async |_| {
            afresh_behaviours::sequential_hits(&[Memory]).await
        }),
        Behaviour::SameName.asked("#[concurrent_cached(redis = true)]", same_name),
        Behaviour::KeyCollisions.asked("#[cached]", async |_| {
            afresh_behaviours::key_collisions(async |a, b| Ok(pair(a, b).await)).await
        }),
        Behaviour::InvalidateDuringCompute.asked(MEMORY, async |_| {
            afresh_behaviours::invalidate_during_compute(&Memory).await
        }),
        Behaviour::OldFlight.asked(MEMORY, async |_| {
            afresh_behaviours::old_flight(&Memory).await
        }),
        Behaviour::TagOrphaned.lacking("no tags"),
        Behaviour::TagShortened.lacking("no tags"),
        Behaviour::ClockSkew.asked(REDIS, async |redis| {
            afresh_behaviours::clock_skew(redis, connect).await
        }),
        Behaviour::RedisDown.asked(REDIS, async |_| {
            afresh_behaviours::redis_down(connect).await
        }),
        Behaviour::RedisAbsent.asked(REDIS, async |_| {
            afresh_behaviours::redis_absent(connect).await
        }),
        Behaviour::RedisRestarted.asked(REDIS, async |_| {
            afresh_behaviours::redis_restarted(connect).await
        }),
    ];
    afresh_behaviours::main(library, rows);
}
