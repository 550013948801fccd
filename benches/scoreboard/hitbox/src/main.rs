//! hitbox: `#[cached]` of hitbox-fn, Moka before Redis, and the concurrency manager that its
//! documentation names for production.

use std::time::Duration;

use afresh_behaviours::source::{self, Failed};
use afresh_behaviours::{Behaviour, Client, Invalidates, Judged, Library, Outcome, Redis};
use hitbox::Extractor;
use hitbox::backend::Backend;
use hitbox::concurrency::BroadcastConcurrencyManager;
use hitbox::offload::OffloadManager;
use hitbox::policy::{ConcurrencyLimit, PolicyConfig};
use hitbox_backend::composition::{Compose, CompositionBackend};
use hitbox_fn::{Arg, Args, Cache, FnExtractor, cached};
use hitbox_moka::MokaBackend;
use hitbox_redis::{ConnectionMode, RedisBackend};

#[cached]
async fn book(id: i64) -> Result<i64, Failed> {
    source::read(id).await
}

#[cached]
async fn pair(first: String, second: String) -> Result<String, Failed> {
    Ok(source::says(source::join(&first, &second)).await)
}

mod first {
    #[hitbox_fn::cached]
    pub(crate) async fn get(id: i64) -> Result<i64, super::Failed> {
        Ok(super::source::says(id - 6).await)
    }
}

mod second {
    #[hitbox_fn::cached]
    pub(crate) async fn get(id: i64) -> Result<i64, super::Failed> {
        Ok(super::source::says(id - 5).await)
    }
}

/// Moka, then Redis.
type Tiers = CompositionBackend<MokaBackend, RedisBackend, OffloadManager>;
/// A cache for functions that return this.
type Of<T> = Cache<Tiers, BroadcastConcurrencyManager<Result<T, Failed>>>;

fn cache<T>(url: &str) -> Result<Of<T>, String>
where
    Result<T, Failed>: hitbox::CacheableResponse,
{
    let redis = RedisBackend::builder()
        .connection(ConnectionMode::single(url))
        // As in the backend's documentation: without them it waits for as long as it takes.
        .connection_timeout(Duration::from_secs(5))
        .response_timeout(Duration::from_secs(2))
        .retries(3)
        .build()
        .map_err(|error| error.to_string())?;
    let memory = MokaBackend::builder().max_entries(10_000).build();
    let policy = PolicyConfig::builder()
        .ttl(Duration::from_mins(10))
        .concurrency(ConcurrencyLimit::new(1).expect("from 1 to 255"))
        .build();
    Ok(Cache::builder()
        .backend(memory.compose(redis, OffloadManager::with_defaults()))
        .policy(policy)
        .concurrency_manager(BroadcastConcurrencyManager::new())
        .build())
}

#[derive(Clone)]
struct Shop(Of<i64>);

impl Client for Shop {
    async fn read(&self, id: i64) -> Outcome {
        let outcome = book(id).cache(&self.0).await;
        outcome.map_err(|failed| failed.to_string())
    }
}

impl Invalidates for Shop {
    async fn invalidate(&self, id: i64) -> Result<(), String> {
        let arguments = Args((Arg::new("id", id),));
        let (_, key) = FnExtractor::new("book")
            .get(arguments)
            .await
            .into_cache_key();
        let done = self.0.backend().remove(&key).await;
        done.map(drop).map_err(|error| error.to_string())
    }
}

async fn connect(url: String) -> Result<Shop, String> {
    cache(&url).map(Shop)
}

async fn client(redis: &Redis) -> Shop {
    connect(redis.url()).await.expect("a URL that is one")
}

async fn same_name(redis: Redis) -> Judged {
    let Shop(cache) = client(&redis).await;
    let first = async || {
        first::get(7)
            .cache(&cache)
            .await
            .map_err(|failed| failed.to_string())
    };
    let second = async || {
        second::get(7)
            .cache(&cache)
            .await
            .map_err(|failed| failed.to_string())
    };
    afresh_behaviours::same_name(first, second).await
}

async fn key_collisions(redis: Redis) -> Judged {
    let cache: Of<String> = cache(&redis.url()).expect("a URL that is one");
    let call = async |a, b| {
        pair(a, b)
            .cache(&cache)
            .await
            .map_err(|failed| failed.to_string())
    };
    afresh_behaviours::key_collisions(call).await
}

const TIERS: &str = "Moka + Redis, BroadcastConcurrencyManager";

fn main() {
    let library = Library {
        name: "hitbox",
        version: "0.2.4 (fn 0.2.1)",
    };
    let rows = [
        Behaviour::HeadOfLineBlocking.asked(TIERS, async |redis| {
            afresh_behaviours::head_of_line(&client(&redis).await).await
        }),
        Behaviour::FailingStampede.asked(TIERS, async |redis| {
            afresh_behaviours::failing_stampede(&[client(&redis).await]).await
        }),
        Behaviour::LeaderCancelled.asked(TIERS, async |redis| {
            afresh_behaviours::leader_cancelled(&[client(&redis).await]).await
        }),
        Behaviour::LongBody.asked(TIERS, async |redis| {
            afresh_behaviours::long_body(&[client(&redis).await]).await
        }),
        Behaviour::SequentialHits.asked(TIERS, async |redis| {
            let clients = [client(&redis).await, client(&redis).await];
            afresh_behaviours::sequential_hits(&clients).await
        }),
        Behaviour::SameName.asked(TIERS, same_name),
        Behaviour::KeyCollisions.asked(TIERS, key_collisions),
        Behaviour::InvalidateDuringCompute.asked(TIERS, async |redis| {
            afresh_behaviours::invalidate_during_compute(&client(&redis).await).await
        }),
        Behaviour::OldFlight.asked(TIERS, async |redis| {
            afresh_behaviours::old_flight(&client(&redis).await).await
        }),
        Behaviour::TagOrphaned.lacking("no tags"),
        Behaviour::TagShortened.lacking("no tags"),
        Behaviour::ClockSkew.asked(TIERS, async |redis| {
            afresh_behaviours::clock_skew(redis, connect).await
        }),
        Behaviour::RedisDown.asked(TIERS, async |_| {
            afresh_behaviours::redis_down(connect).await
        }),
        Behaviour::RedisAbsent.asked(TIERS, async |_| {
            afresh_behaviours::redis_absent(connect).await
        }),
        Behaviour::RedisRestarted.asked(TIERS, async |_| {
            afresh_behaviours::redis_restarted(connect).await
        }),
    ];
    afresh_behaviours::main(library, rows);
}
