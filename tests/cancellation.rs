//! Futures that are dropped: each public future of the crate, at each of its awaits, in every way
//! that a future can be dropped. Nothing is left of it, the next call works, what was changed is seen,
//! and the counters add up.

#[path = "cancellation/checks.rs"]
mod checks;
#[path = "cancellation/harness.rs"]
mod harness;
#[path = "cancellation/lifecycle.rs"]
mod lifecycle;
#[cfg(feature = "redis")]
#[path = "cancellation/order.rs"]
mod order;
#[path = "cancellation/scenes.rs"]
mod scenes;
#[cfg(feature = "redis")]
#[path = "cancellation/server.rs"]
mod server;
#[path = "cancellation/shop.rs"]
mod shop;
#[path = "cancellation/stage.rs"]
mod stage;
#[path = "cancellation/surface.rs"]
mod surface;

use afresh::Consistency;
use afresh::testing::OperationKind;
use tokio::sync::Mutex;

use harness::{Tally, cancel_everywhere};
use stage::{Backend, Losing, Memory, Scene, Simulated, Stage};

/// Drops the futures of these scenes everywhere.
async fn play<B: Backend>(backend: &B, scenes: &[Scene]) {
    let mut drops = 0;
    let mut id = 0;
    for scene in scenes {
        let tally = cancel_everywhere(async |cut| {
            id += 1;
            let caches = backend.caches().await;
            let stage = Stage::new::<B>(caches, id);
            println!("{}: {cut:?}", scene.name);
            checks::attempt(backend, scene, stage, cut).await
        })
        .await;
        drops += tally.drops;
        is_dropped_everywhere::<B>(scene, &tally);
    }
    println!("{drops} drops in {} scenes", scenes.len());
}

/// A test that drops nothing in the middle cannot fail.
fn is_dropped_everywhere<B: Backend>(scene: &Scene, tally: &Tally) {
    println!("{}: {tally:?}", scene.name);
    let awaits = if B::LOSES {
        // It may have come to its end early.
        scene.awaits.min(1)
    } else {
        scene.awaits + scene.operations * B::TURNS
    };
    let reached = tally.polls.len();
    assert!(
        reached > awaits,
        "{}: dropped after {reached} numbers of polls, with {awaits} awaits: {tally:?}",
        scene.name
    );
    for polls in 0..=awaits {
        assert!(
            tally.polls.contains(&polls),
            "{}: not dropped after {polls} polls: {tally:?}",
            scene.name
        );
    }
}

const BOTH: [Consistency; 2] = [Consistency::Bounded, Consistency::Strict];

/// The scenes that any cache has.
const ALL: [&[Scene]; 4] = [
    scenes::CALLS,
    scenes::POLICIES,
    scenes::CHANGES,
    scenes::ENTRIES,
];

/// Those and more, of caches that share a store.
const EVERY: [&[Scene]; 5] = [
    scenes::CALLS,
    scenes::POLICIES,
    scenes::CHANGES,
    scenes::ENTRIES,
    scenes::CONTENDED,
];

#[tokio::test]
async fn in_memory() {
    play(&Memory, &ALL.concat()).await;
}

#[tokio::test]
async fn with_a_store() {
    for consistency in BOTH {
        let store = Simulated(consistency);
        play(&store, &EVERY.concat()).await;
    }
}

/// What was done is not known to have been done.
#[tokio::test]
async fn with_a_store_that_loses_a_reply() {
    for kind in [OperationKind::Append, OperationKind::Mark] {
        play(&Losing(kind), scenes::CHANGES).await;
    }
    for kind in [OperationKind::Bid, OperationKind::Fill] {
        play(&Losing(kind), scenes::CALLS).await;
    }
}

/// Held by the tests that count which flights of this process wait for others.
static NESTED: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn inside_of_one_another() {
    let _one = NESTED.lock().await;
    play(&Memory, scenes::NESTED).await;
    for consistency in BOTH {
        play(&Simulated(consistency), scenes::NESTED).await;
    }
}
