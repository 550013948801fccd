//! The two runs: in memory, with a cache of the default size and a small one by a clock that moves
//! with the calls; and on a real server, which two caches share, with its connections cut now and
//! then.

use std::sync::Arc;
use std::time::Duration;

use afresh::testing::ManualClock;
use afresh::{Builder, Cache, Consistency};
use afresh_test_support::Server;

use crate::Settings;
use crate::gauge::Gauge;
use crate::left::{Left, left};
use crate::run::{Plan, Ran, run, warmed};
use crate::world::World;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// What all names in the server begin with.
pub(crate) const PREFIX: &str = "soak";

/// The largest number of values that a cache keeps by default.
const DEFAULT: u64 = 100_000;

async fn built(builder: Builder) -> Cache {
    builder.build().await.expect("settings that can be")
}

/// A small run fills its caches as a large one does.
fn capacity(calls: u64, most: u64) -> usize {
    (calls / 200).clamp(100, most) as usize
}

pub(crate) async fn in_memory(settings: &Settings) -> Ran {
    let calls = settings.calls;
    let make = async || {
        let clock = ManualClock::new();
        let large = Cache::builder().local_capacity(capacity(calls, DEFAULT));
        let small = Cache::builder()
            .local_capacity(capacity(calls, DEFAULT / 5))
            .local_bytes(64 << 20)
            .clock(&clock);
        (vec![built(large).await, built(small).await], clock)
    };
    let world = || Arc::new(World::new(settings.keys, settings.tags, secs(60), secs(10)));
    let caches = make().await.0;
    #[cfg(feature = "sync")]
    crate::waits::wait_once(&caches[0], &world());
    let before = warmed(caches, &world()).await;
    let (caches, clock) = make().await;
    let plan = Plan {
        name: "in memory",
        calls,
        tasks: 16,
        caches,
        world: world(),
        clock: Some(clock),
        gauge: None,
    };
    run(plan, before, settings).await
}

/// The run on a server, and what was left in that.
pub(crate) async fn on_a_server(settings: &Settings) -> (Ran, Left) {
    let calls = settings.shared;
    let server = Server::start_with(&["--maxmemory", "2gb", "--maxmemory-policy", "volatile-lru"]);
    let builder = |consistency| {
        Cache::builder()
            .url(server.url())
            .prefix(PREFIX)
            .consistency(consistency)
            // Also how often the log's hashes are rotated.
            .max_ttl(secs(30))
            .local_capacity(capacity(calls, DEFAULT / 5))
    };
    let make = async || {
        vec![
            built(builder(Consistency::Bounded)).await,
            built(builder(Consistency::Strict).connections(2)).await,
        ]
    };
    let world = || Arc::new(World::new(settings.keys, settings.tags, secs(10), secs(4)));
    let mut gauge = Gauge::on(&server);
    let before = warmed(make().await, &world()).await;
    let clients = gauge.read().clients;
    let plan = Plan {
        name: "on a server",
        calls,
        tasks: 128,
        caches: make().await,
        world: world(),
        clock: None,
        gauge: Some(gauge),
    };
    let ran = run(plan, before, settings).await;
    let left = left(&mut Gauge::on(&server), clients).await;
    (ran, left)
}
