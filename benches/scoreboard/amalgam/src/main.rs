//! amalgam: Redis as store, backplane and locker, put together as in the library's own example.

use std::sync::Arc;
use std::time::Duration;

use afresh_behaviours::{Behaviour, Client, Invalidates, Library, Outcome, Redis, Tags, source};
use amalgam::Cache;
use amalgam::provider::{
    JsonSerializer, RedisBackplane, RedisDistributedCache, RedisDistributedLocker,
};

#[derive(Clone)]
struct Shop(Cache<i64>);

impl Shop {
    async fn book(&self, id: i64, kept: Duration) -> Outcome {
        self.0
            .get_or_set(format!("book:{id}"), move |_| source::read(id))
            .options(|options| options.with_duration(kept))
            .tags(["books"])
            .await
            .map_err(|error| full(&error))
    }
}

impl Client for Shop {
    async fn read(&self, id: i64) -> Outcome {
        self.book(id, Duration::from_mins(10)).await
    }
}

impl Invalidates for Shop {
    async fn invalidate(&self, _: i64) -> Result<(), String> {
        self.invalidate_tag().await
    }
}

impl Tags for Shop {
    async fn read_short(&self, id: i64) -> Outcome {
        self.book(id, Duration::from_secs(1)).await
    }

    async fn invalidate_tag(&self) -> Result<(), String> {
        let done = self.0.remove_by_tag("books").await;
        done.map_err(|error| full(&error))
    }
}

/// An error and what it comes from.
fn full(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<_> = sources.map(ToString::to_string).collect();
    texts.join(": ")
}

async fn connect(url: String) -> Result<Shop, String> {
    let cache = async {
        let store = RedisDistributedCache::connect(url.clone()).await?;
        let backplane = RedisBackplane::connect(url.clone()).await?;
        let locker = RedisDistributedLocker::connect(url).await?;
        Cache::builder()
            .distributed(Arc::new(store))
            .serializer(Arc::new(JsonSerializer))
            .backplane(Arc::new(backplane))
            .distributed_locker(Arc::new(locker))
            .try_build()
    };
    cache.await.map(Shop).map_err(|error| full(&error))
}

/// Two clients of one server, as two processes have them.
async fn two(redis: &Redis) -> [Shop; 2] {
    let client = async || connect(redis.url()).await.expect("a server");
    [client().await, client().await]
}

const REDIS: &str = "Redis store, backplane and locker";

fn main() {
    let library = Library {
        name: "amalgam",
        version: "0.4.2",
    };
    let rows = [
        Behaviour::HeadOfLineBlocking.asked(REDIS, async |redis| {
            afresh_behaviours::head_of_line(&two(&redis).await[0]).await
        }),
        Behaviour::FailingStampede.asked(REDIS, async |redis| {
            afresh_behaviours::failing_stampede(&two(&redis).await).await
        }),
        Behaviour::LeaderCancelled.asked(REDIS, async |redis| {
            afresh_behaviours::leader_cancelled(&two(&redis).await).await
        }),
        Behaviour::LongBody.asked(REDIS, async |redis| {
            afresh_behaviours::long_body(&two(&redis).await).await
        }),
        Behaviour::SequentialHits.asked(REDIS, async |redis| {
            afresh_behaviours::sequential_hits(&two(&redis).await).await
        }),
        Behaviour::SameName.lacking("keys are written by hand"),
        Behaviour::KeyCollisions.lacking("keys are written by hand"),
        Behaviour::InvalidateDuringCompute.asked(REDIS, async |redis| {
            afresh_behaviours::invalidate_during_compute(&two(&redis).await[0]).await
        }),
        Behaviour::OldFlight.asked(REDIS, async |redis| {
            afresh_behaviours::old_flight(&two(&redis).await[0]).await
        }),
        Behaviour::TagOrphaned.asked(REDIS, async |_| {
            // What is not an entry is in an area of its own.
            let is_entry = |key: &str| !key.contains("amalgam/v2/");
            afresh_behaviours::tag_orphaned(connect, is_entry).await
        }),
        Behaviour::TagShortened.asked(REDIS, async |redis| {
            let [client, later] = two(&redis).await;
            afresh_behaviours::tag_shortened(&client, &later).await
        }),
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
