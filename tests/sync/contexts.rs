//! In each place a sync function hits, misses and follows; also in bodies of either kind, and in
//! scopes.

use std::sync::Arc;

use afresh::{Outcome, Tier, cached, outcome};
use tokio::runtime::Handle;

use crate::places::{CONTEXTS, workers};
use crate::world::{Caller, World, await_waiting, block_on};

#[cached(ttl = 60, key = "{id}", tags = ["values"], singleflight, cache = world.cache)]
fn value(world: &World, id: usize) -> usize {
    id * 10 + world.body()
}

#[test]
fn everywhere_it_misses_and_hits() {
    for (context, run) in CONTEXTS {
        let world = crate::in_memory();
        world.gate.open(3);
        let inside = Arc::clone(&world);
        run(Box::new(move || {
            assert_eq!(value(&inside, 1), 11);
            assert_eq!(value(&inside, 1), 11);
            assert_eq!(value(&inside, 2), 22);
        }));
        let stats = world.cache.stats();
        assert_eq!((stats.computed, stats.hits_local), (2, 1), "{context}");
    }
}

#[test]
fn everywhere_it_leads_and_follows() {
    for (context, run) in CONTEXTS {
        for leads in [true, false] {
            let world = crate::in_memory();
            let inside = Arc::clone(&world);
            let here = move || {
                Caller::start(move || run(Box::new(move || assert_eq!(value(&inside, 1), 11))))
            };
            let other = Arc::clone(&world);
            let there = move || Caller::start(move || assert_eq!(value(&other, 1), 11));
            let (leader, follower) = if leads {
                let leader = here();
                world.await_runs(1);
                (leader, there())
            } else {
                let leader = there();
                world.await_runs(1);
                (leader, here())
            };
            await_waiting(std::slice::from_ref(&follower));
            world.gate.open(1);
            leader.value();
            follower.value();
            assert_eq!(world.runs(), 1, "{context}");
        }
    }
}

#[cached(ttl = 60, key = "{id}", tags = ["outer"], singleflight, cache = world.cache)]
async fn around(world: Arc<World>, id: usize) -> usize {
    let first = value(&world, id);
    tokio::task::yield_now().await;
    first * 100 + value(&world, id)
}

#[cached(ttl = 60, key = "{id}", tags = ["outer"], singleflight, cache = world.cache)]
fn around_sync(world: &Arc<World>, id: usize, handle: Option<Handle>) -> usize {
    let inner = around(Arc::clone(world), id);
    match handle {
        Some(handle) => handle.block_on(inner),
        None => block_on(inner),
    }
}

#[tokio::test]
async fn in_the_body_of_an_async_one() {
    let world = crate::in_memory();
    world.gate.open(1);
    assert_eq!(around(world.clone(), 1).await, 1111);
    let hit = outcome(around(world.clone(), 1)).await;
    assert_eq!(hit, (1111, Outcome::Hit(Tier::Local)));
    assert_eq!(world.runs(), 1);
    // What the body called is what the value is made of.
    world.gate.open(1);
    world.cache.invalidate(["values"]).await.expect("in memory");
    let (value, came) = outcome(around(world.clone(), 1)).await;
    assert_eq!((value, came), (1212, Outcome::Computed));
}

#[test]
fn around_an_async_one() {
    let workers = workers();
    for handle in [None, Some(workers.handle().clone())] {
        let world = crate::in_memory();
        world.gate.open(2);
        let inside = Arc::clone(&world);
        let call = move || around_sync(&inside, 1, handle.clone());
        assert_eq!(Caller::start(call.clone()).value(), 1111);
        assert_eq!(Caller::start(call.clone()).value(), 1111);
        assert_eq!(world.cache.stats().hits_local, 2);
        block_on(world.cache.invalidate(["values"])).expect("in memory");
        assert_eq!(Caller::start(call).value(), 1212, "through both bodies");
    }
}

#[tokio::test]
async fn scopes_hold_for_it() {
    let world = crate::in_memory();
    world.gate.open(3);
    let call = async || value(&world, 1);
    assert_eq!(outcome(call()).await, (11, Outcome::Computed));
    assert_eq!(outcome(call()).await, (11, Outcome::Hit(Tier::Local)));
    assert_eq!(
        afresh::bypass(outcome(call())).await,
        (12, Outcome::Bypassed)
    );
    assert_eq!(outcome(call()).await, (11, Outcome::Hit(Tier::Local)));
}
