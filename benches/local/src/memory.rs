//! What an entry takes in the process, over its key and its value.

use afresh::{Cache, cached};
use afresh_measure::{Point, Series};

use crate::drive;

/// All of them have six digits.
const FIRST: i64 = 100_000;
const ENTRIES: i64 = 100_000;
/// Room for all of them, and not much more: tables grow by doubling.
const ROOM: usize = 110_000;
/// The text of a key, and the value.
const HELD: f64 = 6.0 + 8.0;

#[cached(ttl = 3600, key = "{id}", cache = cache)]
async fn number(cache: &Cache, id: i64) -> i64 {
    id
}

pub(crate) fn all() {
    let runtime = drive::runtime();
    let cache = runtime.block_on(async {
        let builder = Cache::builder().local_capacity(ROOM);
        builder.build().await.expect("a cache in memory")
    });
    taken("afresh #[cached]", || {
        runtime.block_on(async {
            for id in FIRST..FIRST + ENTRIES {
                number(&cache, id).await;
            }
        });
    });
    let mut raw = None;
    taken("quick_cache, text as key", || {
        let cache = raw.insert(quick_cache::sync::Cache::new(ROOM));
        for id in FIRST..FIRST + ENTRIES {
            cache.insert(format!("{id}"), id);
        }
    });
    let mut moka = None;
    taken("moka, text as key, ttl", || {
        let cache = moka.insert(
            moka::sync::Cache::builder()
                .max_capacity(ROOM as u64)
                .time_to_live(std::time::Duration::from_hours(1))
                .build(),
        );
        for id in FIRST..FIRST + ENTRIES {
            cache.insert(format!("{id}"), id);
        }
        cache.run_pending_tasks();
    });
}

/// What stays allocated when this has run.
fn taken(subject: &str, fill: impl FnOnce()) {
    let counted = allocation_counter::measure(fill);
    let each = counted.bytes_current as f64 / ENTRIES as f64;
    Series {
        point: Point::new("memory", "in the process", "bytes"),
        subject: subject.to_owned(),
        rounds: vec![each - HELD],
    }
    .write();
}
