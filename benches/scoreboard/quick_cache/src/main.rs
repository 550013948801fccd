//! `quick_cache`: `get_or_insert_async`, which its documentation names for computing a missing value
//! once.

use std::sync::Arc;

use afresh_behaviours::{Behaviour, Client, Invalidates, Library, Outcome, source};
use quick_cache::sync::Cache;

#[derive(Clone)]
struct Shop(Arc<Cache<i64, i64>>);

impl Client for Shop {
    async fn read(&self, id: i64) -> Outcome {
        let book = self.0.get_or_insert_async(&id, source::read(id)).await;
        book.map_err(|failed| failed.to_string())
    }
}

impl Invalidates for Shop {
    async fn invalidate(&self, id: i64) -> Result<(), String> {
        self.0.remove(&id);
        Ok(())
    }
}

fn shop() -> Shop {
    Shop(Arc::new(Cache::new(10_000)))
}

const ASYNC: &str = "sync, get_or_insert_async";

fn main() {
    let library = Library {
        name: "quick_cache",
        version: "0.7.0",
    };
    let rows = [
        Behaviour::HeadOfLineBlocking.asked(ASYNC, async |_| {
            afresh_behaviours::head_of_line(&shop()).await
        }),
        Behaviour::FailingStampede.asked(ASYNC, async |_| {
            afresh_behaviours::failing_stampede(&[shop()]).await
        }),
        Behaviour::LeaderCancelled.asked(ASYNC, async |_| {
            afresh_behaviours::leader_cancelled(&[shop()]).await
        }),
        Behaviour::LongBody.asked(ASYNC, async |_| {
            afresh_behaviours::long_body(&[shop()]).await
        }),
        Behaviour::SequentialHits.asked(ASYNC, async |_| {
            afresh_behaviours::sequential_hits(&[shop()]).await
        }),
        Behaviour::SameName.lacking("keys are written by hand"),
        Behaviour::KeyCollisions.lacking("keys are written by hand"),
        Behaviour::InvalidateDuringCompute.asked(ASYNC, async |_| {
            afresh_behaviours::invalidate_during_compute(&shop()).await
        }),
        Behaviour::OldFlight.asked(ASYNC, async |_| {
            afresh_behaviours::old_flight(&shop()).await
        }),
        Behaviour::TagOrphaned.lacking("no tags"),
        Behaviour::TagShortened.lacking("no tags"),
        Behaviour::ClockSkew.lacking("one process"),
        Behaviour::RedisDown.lacking("one process"),
        Behaviour::RedisAbsent.lacking("one process"),
        Behaviour::RedisRestarted.lacking("one process"),
    ];
    afresh_behaviours::main(library, rows);
}
