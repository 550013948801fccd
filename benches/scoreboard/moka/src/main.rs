//! moka: `try_get_with`, which its documentation names for computing a missing value once.

use std::time::Duration;

use afresh_behaviours::{Behaviour, Client, Invalidates, Library, Outcome, source};
use moka::future::Cache;

#[derive(Clone)]
struct Shop(Cache<i64, i64>);

impl Client for Shop {
    async fn read(&self, id: i64) -> Outcome {
        let book = self.0.try_get_with(id, source::read(id)).await;
        book.map_err(|failed| failed.to_string())
    }
}

impl Invalidates for Shop {
    async fn invalidate(&self, id: i64) -> Result<(), String> {
        self.0.invalidate(&id).await;
        Ok(())
    }
}

fn shop() -> Shop {
    let builder = Cache::builder().max_capacity(10_000);
    Shop(builder.time_to_live(Duration::from_mins(10)).build())
}

const FUTURE: &str = "future, try_get_with";

fn main() {
    let library = Library {
        name: "moka",
        version: "0.12.16",
    };
    let rows = [
        Behaviour::HeadOfLineBlocking.asked(FUTURE, async |_| {
            afresh_behaviours::head_of_line(&shop()).await
        }),
        Behaviour::FailingStampede.asked(FUTURE, async |_| {
            afresh_behaviours::failing_stampede(&[shop()]).await
        }),
        Behaviour::LeaderCancelled.asked(FUTURE, async |_| {
            afresh_behaviours::leader_cancelled(&[shop()]).await
        }),
        Behaviour::LongBody.asked(FUTURE, async |_| {
            afresh_behaviours::long_body(&[shop()]).await
        }),
        Behaviour::SequentialHits.asked(FUTURE, async |_| {
            afresh_behaviours::sequential_hits(&[shop()]).await
        }),
        Behaviour::SameName.lacking("keys are written by hand"),
        Behaviour::KeyCollisions.lacking("keys are written by hand"),
        Behaviour::InvalidateDuringCompute.asked(FUTURE, async |_| {
            afresh_behaviours::invalidate_during_compute(&shop()).await
        }),
        Behaviour::OldFlight.asked(FUTURE, async |_| {
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
