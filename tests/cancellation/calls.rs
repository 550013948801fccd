//! Calls of cached functions without a policy, alone and with others at work on the same key.

use std::time::Duration;

use afresh::testing::with_cache;
use afresh::{Cache, Lookup, outcome};

use super::{
    CALL, Value, abandoned, followed, led, led_elsewhere, released, slow, stored, stored_elsewhere,
};
use crate::shop::{
    Source, by_default, bypassed, carrying, failing, flown, outer, tagged, unstored,
};
use crate::stage::Scene;

/// Calls, in each state of their entry.
pub(crate) const CALLS: &[Scene] = &[
    Scene {
        name: "a miss",
        operations: 2,
        ..CALL
    },
    Scene {
        name: "a hit",
        before: stored,
        awaits: 0,
        ..CALL
    },
    Scene {
        name: "a shared hit",
        before: stored_elsewhere,
        awaits: 0,
        ..CALL
    },
    Scene {
        name: "a leader",
        run: run!(|cache, source, id| flown(&cache, &source, id).await),
        read: read!(flown),
        operations: 3,
        ..CALL
    },
    Scene {
        name: "a leader that renews its lease",
        before: slow,
        run: run!(|cache, source, id| flown(&cache, &source, id).await),
        read: read!(flown),
        operations: 3,
        ..CALL
    },
    Scene {
        name: "a leader with tags of its result",
        run: run!(|cache, source, id| tagged(&cache, &source, id).await),
        read: read!(tagged),
        operations: 3,
        ..CALL
    },
    Scene {
        name: "a leader that fails",
        run: run!(|cache, source, id| failing(&cache, &source, id).await),
        read: read!(failing),
        operations: 2,
        stores: false,
        ..CALL
    },
    Scene {
        name: "a leader that is followed",
        run: run!(|cache, source, id| unstored(&cache, &source, id).await),
        goes_on: followed,
        read: read!(unstored),
        operations: 2,
        stores: false,
        ..CALL
    },
    Scene {
        name: "a follower",
        before: led,
        run: run!(|cache, source, id| flown(&cache, &source, id).await),
        goes_on: released,
        read: read!(flown),
        awaits: 1,
        ..CALL
    },
    Scene {
        name: "an heir",
        before: led,
        run: run!(|cache, source, id| flown(&cache, &source, id).await),
        goes_on: abandoned,
        read: read!(flown),
        awaits: 3,
        operations: 2,
        ..CALL
    },
    Scene {
        name: "an outcome",
        run: run!(|cache, source, id| outcome(flown(&cache, &source, id)).await),
        read: read!(flown),
        operations: 3,
        ..CALL
    },
    Scene {
        name: "a bypass",
        run: run!(|cache, source, id| bypassed(&cache, &source, id).await),
        read: read!(flown),
        ..CALL
    },
    Scene {
        name: "a default cache",
        run: run!(
            |cache, source, id| with_cache(cache.clone(), by_default(&cache, &source, id)).await
        ),
        read: |cache, source, id| {
            let (cache, source) = (cache.clone(), source.clone());
            Box::pin(with_cache(cache.clone(), async move {
                by_default(&cache, &source, id).await
            }))
        },
        operations: 3,
        ..CALL
    },
    Scene {
        name: "a look-up by hand",
        run: run!(|cache, source, id| by_hand(&cache, &source, id).await),
        read: read!(by_hand),
        operations: 3,
        ..CALL
    },
];

/// Calls that another process is in the way of: it has the lease, and stands in its body.
pub(crate) const CONTENDED: &[Scene] = &[
    Scene {
        name: "a call that waits for another process",
        before: led_elsewhere,
        run: run!(|cache, source, id| flown(&cache, &source, id).await),
        goes_on: released,
        read: read!(flown),
        awaits: 1,
        operations: 3,
        ..CALL
    },
    Scene {
        name: "a call that waits for another process, which gives up",
        before: led_elsewhere,
        run: run!(|cache, source, id| flown(&cache, &source, id).await),
        goes_on: abandoned,
        read: read!(flown),
        awaits: 3,
        operations: 5,
        ..CALL
    },
    Scene {
        name: "a call that waits for another process, which fails",
        before: led_elsewhere,
        run: run!(|cache, source, id| failing(&cache, &source, id).await),
        goes_on: released,
        read: read!(failing),
        awaits: 1,
        operations: 4,
        stores: false,
        ..CALL
    },
];

/// Calls that make calls. Those that wait for others are on record, of which there is one in a
/// process: these run one at a time.
pub(crate) const NESTED: &[Scene] = &[
    Scene {
        name: "a call in a call",
        run: run!(|cache, source, id| outer(&cache, &source, id).await),
        read: read!(outer),
        calls: 2,
        operations: 6,
        ..CALL
    },
    Scene {
        name: "a call that is carried along",
        run: run!(|cache, source, id| carrying(&cache, &source, id).await),
        read: read!(carrying),
        calls: 2,
        operations: 6,
        ..CALL
    },
    Scene {
        name: "a call in which another follows",
        before: |stage, _| led(stage, read!(flown)),
        run: run!(|cache, source, id| outer(&cache, &source, id).await),
        goes_on: released,
        read: read!(outer),
        calls: 2,
        awaits: 1,
        operations: 3,
        ..CALL
    },
];

/// As [`flown`], without the attribute.
async fn by_hand(cache: &Cache, source: &Source, id: u64) -> u64 {
    let hour = Duration::from_hours(1);
    let lookup = Lookup::new("by hand", &id)
        .ttl(20 * hour)
        .tags([format!("item:{id}")])
        .singleflight_within(hour, hour);
    let read = async { Ok::<_, std::convert::Infallible>(source.read().await) };
    let Ok(value) = cache.get_or_compute(lookup, read).await;
    value
}
