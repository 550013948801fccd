//! cachekit: `#[cachekit]` with the preset that its documentation names for production: a local
//! tier, Redis, reconnecting, locks for fills.

use afresh_behaviours::source::{self, Failed};
use afresh_behaviours::{Behaviour, Client, Invalidates, Judged, Library, Outcome, Redis};
use cachekit::interop::interop_key;
use cachekit::{CacheKit, CachekitError, cachekit};

#[cachekit(client = cache, ttl = 600, interop = "book", namespace = "books")]
async fn book(cache: &CacheKit, id: i64) -> Result<i64, BookError> {
    Ok(source::read(id).await?)
}

#[cachekit(client = cache, ttl = 600, interop = "pair", namespace = "books")]
async fn pair(cache: &CacheKit, first: String, second: String) -> Result<String, BookError> {
    Ok(source::says(source::join(&first, &second)).await)
}

/// What the functions fail with; the store's errors can be the caller's.
#[derive(Clone, Debug)]
struct BookError(String);

impl From<Failed> for BookError {
    fn from(failed: Failed) -> Self {
        Self(failed.to_string())
    }
}

impl From<CachekitError> for BookError {
    fn from(error: CachekitError) -> Self {
        Self(error.to_string())
    }
}

#[derive(Clone)]
struct Shop(CacheKit);

impl Client for Shop {
    async fn read(&self, id: i64) -> Outcome {
        book(&self.0, id).await.map_err(|error| error.0)
    }
}

impl Invalidates for Shop {
    async fn invalidate(&self, id: i64) -> Result<(), String> {
        let key = interop_key("books", "book", &[id.into()]).map_err(|error| error.to_string())?;
        let done = self.0.delete(&key).await;
        done.map(drop).map_err(|error| error.to_string())
    }
}

async fn connect(url: String) -> Result<Shop, String> {
    let builder = CacheKit::production(&url).await;
    let cache = builder.and_then(cachekit::client::CacheKitBuilder::build);
    cache.map(Shop).map_err(|error| error.to_string())
}

/// Two clients of one server, as two processes have them.
async fn two(redis: &Redis) -> [Shop; 2] {
    let client = async || connect(redis.url()).await.expect("a server");
    [client().await, client().await]
}

async fn key_collisions(redis: Redis) -> Judged {
    let [Shop(cache), _] = two(&redis).await;
    let call = async |a, b| pair(&cache, a, b).await.map_err(|error| error.0);
    afresh_behaviours::key_collisions(call).await
}

const PRODUCTION: &str = "production(url)";

fn main() {
    let library = Library {
        name: "cachekit",
        version: "0.13.1",
    };
    let rows = [
        Behaviour::HeadOfLineBlocking.asked(PRODUCTION, async |redis| {
            afresh_behaviours::head_of_line(&two(&redis).await[0]).await
        }),
        Behaviour::FailingStampede.asked(PRODUCTION, async |redis| {
            afresh_behaviours::failing_stampede(&two(&redis).await).await
        }),
        Behaviour::LeaderCancelled.asked(PRODUCTION, async |redis| {
            afresh_behaviours::leader_cancelled(&two(&redis).await).await
        }),
        Behaviour::LongBody.asked(PRODUCTION, async |redis| {
            afresh_behaviours::long_body(&two(&redis).await).await
        }),
        Behaviour::SequentialHits.asked(PRODUCTION, async |redis| {
            afresh_behaviours::sequential_hits(&two(&redis).await).await
        }),
        Behaviour::SameName.lacking("names are written by hand"),
        Behaviour::KeyCollisions.asked(PRODUCTION, key_collisions),
        Behaviour::InvalidateDuringCompute.asked(PRODUCTION, async |redis| {
            afresh_behaviours::invalidate_during_compute(&two(&redis).await[0]).await
        }),
        Behaviour::OldFlight.asked(PRODUCTION, async |redis| {
            afresh_behaviours::old_flight(&two(&redis).await[0]).await
        }),
        Behaviour::TagOrphaned.lacking("no tags"),
        Behaviour::TagShortened.lacking("no tags"),
        Behaviour::ClockSkew.asked(PRODUCTION, async |redis| {
            afresh_behaviours::clock_skew(redis, connect).await
        }),
        Behaviour::RedisDown.asked(PRODUCTION, async |_| {
            afresh_behaviours::redis_down(connect).await
        }),
        Behaviour::RedisAbsent.asked(PRODUCTION, async |_| {
            afresh_behaviours::redis_absent(connect).await
        }),
        Behaviour::RedisRestarted.asked(PRODUCTION, async |_| {
            afresh_behaviours::redis_restarted(connect).await
        }),
    ];
    afresh_behaviours::main(library, rows);
}
