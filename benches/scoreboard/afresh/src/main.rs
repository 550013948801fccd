//! afresh: `#[cached]` as users write it, the consistency that it has by default.

use afresh::{Cache, cached};
use afresh_behaviours::source::{self, Failed};
use afresh_behaviours::{Behaviour, Client, Invalidates, Judged, Library, Outcome, Redis, Tags};

#[cached(
    ttl = "10m",
    key = "book:{id}",
    tags = ["books", "book:{id}"],
    singleflight,
    cache = cache
)]
async fn book(cache: &Cache, id: i64) -> Result<i64, BookError> {
    Ok(source::read(id).await?)
}

#[cached(ttl = "1s", key = "{id}", tags = ["books"], singleflight, cache = cache)]
async fn review(cache: &Cache, id: i64) -> Result<i64, BookError> {
    Ok(source::read(id).await?)
}

#[cached(ttl = "10m", key = "{first}:{second}", cache = cache)]
async fn pair(cache: &Cache, first: String, second: String) -> String {
    source::says(source::join(&first, &second)).await
}

mod first {
    #[afresh::cached(ttl = "10m", cache = cache, skip(cache))]
    pub(crate) async fn get(cache: &afresh::Cache, id: i64) -> i64 {
        super::source::says(id - 6).await
    }
}

mod second {
    #[afresh::cached(ttl = "10m", cache = cache, skip(cache))]
    pub(crate) async fn get(cache: &afresh::Cache, id: i64) -> i64 {
        super::source::says(id - 5).await
    }
}

/// What the functions fail with. What a caller in another process failed with comes as text.
#[derive(Clone, Debug)]
struct BookError(String);

impl From<Failed> for BookError {
    fn from(failed: Failed) -> Self {
        Self(failed.to_string())
    }
}

impl From<afresh::Error> for BookError {
    fn from(error: afresh::Error) -> Self {
        Self(error.to_string())
    }
}

impl std::fmt::Display for BookError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone)]
struct Shop(Cache);

impl Client for Shop {
    async fn read(&self, id: i64) -> Outcome {
        book(&self.0, id).await.map_err(|error| error.0)
    }
}

impl Invalidates for Shop {
    async fn invalidate(&self, id: i64) -> Result<(), String> {
        let done = self.0.invalidate([format!("book:{id}")]).await;
        done.map_err(|error| error.to_string())
    }
}

impl Tags for Shop {
    async fn read_short(&self, id: i64) -> Outcome {
        review(&self.0, id).await.map_err(|error| error.0)
    }

    async fn invalidate_tag(&self) -> Result<(), String> {
        let done = self.0.invalidate(["books"]).await;
        done.map_err(|error| error.to_string())
    }
}

async fn connect(url: String) -> Result<Shop, String> {
    let cache = Cache::connect(&url).await;
    cache.map(Shop).map_err(|error| error.to_string())
}

/// Two clients of one server, as two processes have them.
async fn two(redis: &Redis) -> [Shop; 2] {
    let client = async || connect(redis.url()).await.expect("a URL that is one");
    [client().await, client().await]
}

async fn same_name(redis: Redis) -> Judged {
    let [Shop(cache), _] = two(&redis).await;
    let first = async || Ok(first::get(&cache, 7).await);
    let second = async || Ok(second::get(&cache, 7).await);
    afresh_behaviours::same_name(first, second).await
}

async fn key_collisions(redis: Redis) -> Judged {
    let [Shop(cache), _] = two(&redis).await;
    afresh_behaviours::key_collisions(async |a, b| Ok(pair(&cache, a, b).await)).await
}

/// How it is used: everything on, in Redis.
const SHARED: &str = "tags, singleflight, Redis";

fn main() {
    let library = Library {
        name: "afresh",
        version: "0.1.0",
    };
    let rows = [
        Behaviour::HeadOfLineBlocking.asked(SHARED, async |redis| {
            afresh_behaviours::head_of_line(&two(&redis).await[0]).await
        }),
        Behaviour::FailingStampede.asked(SHARED, async |redis| {
            afresh_behaviours::failing_stampede(&two(&redis).await).await
        }),
        Behaviour::LeaderCancelled.asked(SHARED, async |redis| {
            afresh_behaviours::leader_cancelled(&two(&redis).await).await
        }),
        Behaviour::LongBody.asked(SHARED, async |redis| {
            afresh_behaviours::long_body(&two(&redis).await).await
        }),
        Behaviour::SequentialHits.asked(SHARED, async |redis| {
            afresh_behaviours::sequential_hits(&two(&redis).await).await
        }),
        Behaviour::SameName.asked("Redis", same_name),
        Behaviour::KeyCollisions.asked("key = \"{a}:{b}\", Redis", key_collisions),
        Behaviour::InvalidateDuringCompute.asked(SHARED, async |redis| {
            afresh_behaviours::invalidate_during_compute(&two(&redis).await[0]).await
        }),
        Behaviour::OldFlight.asked(SHARED, async |redis| {
            afresh_behaviours::old_flight(&two(&redis).await[0]).await
        }),
        Behaviour::TagOrphaned.asked(SHARED, async |_| {
            let is_entry = |key: &str| key.contains(":afresh:1:e:");
            afresh_behaviours::tag_orphaned(connect, is_entry).await
        }),
        Behaviour::TagShortened.asked(SHARED, async |redis| {
            let [client, later] = two(&redis).await;
            afresh_behaviours::tag_shortened(&client, &later).await
        }),
        Behaviour::ClockSkew.asked(SHARED, async |redis| {
            afresh_behaviours::clock_skew(redis, connect).await
        }),
        Behaviour::RedisDown.asked(SHARED, async |_| {
            afresh_behaviours::redis_down(connect).await
        }),
        Behaviour::RedisAbsent.asked(SHARED, async |_| {
            afresh_behaviours::redis_absent(connect).await
        }),
        Behaviour::RedisRestarted.asked(SHARED, async |_| {
            afresh_behaviours::redis_restarted(connect).await
        }),
    ];
    afresh_behaviours::main(library, rows);
}
