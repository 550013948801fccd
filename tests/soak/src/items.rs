//! What is cached, and how it is invalidated: one function of each kind, as a user would write it.
//! How often which is called is `step`'s.

use std::sync::Arc;
use std::time::Duration;

use afresh::{Background, Cache, Error, Limited, Policy, cached, invalidates};
use serde::{Deserialize, Serialize};
use tokio::task::yield_now;

use crate::world::World;

/// What is stored in the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    id: u64,
    name: String,
}

impl Item {
    pub(crate) fn new(id: u64) -> Self {
        let name = format!("the item with the number {id}");
        Self { id, name }
    }

    /// Whether it is this item: what came out of a cache is what went in.
    pub(crate) fn is(&self, id: u64) -> bool {
        self.id == id
    }
}

/// Why there is no item.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broken;

impl From<Error> for Broken {
    fn from(_: Error) -> Self {
        Self
    }
}

/// What a body does: now and then it waits, and now and then it fails.
async fn compute(world: &World, id: u64) -> Result<u64, Broken> {
    let chance = world.compute();
    if world.always_waits(id) || chance.is_multiple_of(8) {
        yield_now().await;
    }
    if chance % 64 == 1 {
        Err(Broken)
    } else {
        Ok(id)
    }
}

/// Computed once at a time; its errors are its callers'.
#[cached(ttl = world.ttl, key = "{id}", namespace = "single", tags = world.tags_of(id), singleflight(lease = "20s", wait = "30s"), cache = cache)]
pub(crate) async fn single(cache: &Cache, world: &World, id: u64) -> Result<Item, Broken> {
    Ok(Item::new(compute(world, id).await?))
}

/// Computed by whoever misses it, and small.
#[cached(ttl = world.ttl, key = "{id}", namespace = "plain", tags = world.tags_of(id), cache = cache)]
pub(crate) async fn plain(cache: &Cache, world: &World, id: u64) -> (u64, u32) {
    (compute(world, id).await.unwrap_or(id), 7)
}

/// Kept in this process only, and handed out without being copied.
#[cached(ttl = world.ttl, key = "{id}", namespace = "handed", tags = world.tags_of(id), singleflight, local, cache = cache)]
pub(crate) async fn handed(cache: &Cache, world: &World, id: u64) -> Arc<Item> {
    Arc::new(Item::new(compute(world, id).await.unwrap_or(id)))
}

/// A sync function, once at a time.
#[cfg(feature = "sync")]
#[cached(ttl = world.ttl, key = "{id}", namespace = "still", tags = world.tags_of(id), singleflight(lease = "20s", wait = "30s"), cache = cache)]
pub(crate) fn still(cache: &Cache, world: &World, id: u64) -> Result<Item, Broken> {
    if world.compute() % 64 == 1 {
        Err(Broken)
    } else {
        Ok(Item::new(id))
    }
}

/// Computed in the background, ahead of time and past it.
const AGING: Policy<Background> = Policy::new()
    .stale_for(Duration::from_secs(10))
    .refresh_ahead(0.5)
    .jitter(0.2)
    .backoff(Duration::from_millis(100), Duration::from_secs(2));

#[cached(ttl = world.short, key = "{id}", namespace = "aging", tags = world.tags_of(id), policy = AGING, cache = cache)]
pub(crate) async fn aging(cache: &Cache, world: &Arc<World>, id: u64) -> Result<Item, Broken> {
    Ok(Item::new(compute(world, id).await?))
}

/// Served where computing fails, with both timeouts.
const FRAIL: Policy<Background, Limited> = Policy::new()
    .stale_if_error(Duration::from_secs(10))
    .soft_timeout(Duration::from_millis(20))
    .hard_timeout(Duration::from_secs(5))
    .backoff(Duration::from_millis(100), Duration::from_secs(2));

#[cached(ttl = world.short, key = "{id}", namespace = "frail", tags = world.tags_of(id), policy = FRAIL, singleflight(lease = "20s", wait = "30s"), cache = cache)]
pub(crate) async fn frail(cache: &Cache, world: &Arc<World>, id: u64) -> Result<Item, Broken> {
    let item = compute(world, id).await?;
    if world.compute().is_multiple_of(4) {
        return Err(Broken);
    }
    Ok(Item::new(item))
}

/// Made of others, whose tags it inherits.
#[cached(ttl = world.ttl, key = "{id}", namespace = "bundle", singleflight(lease = "20s", wait = "30s"), cache = cache)]
pub(crate) async fn bundle(cache: &Cache, world: &World, id: u64) -> Result<Vec<Item>, Broken> {
    let first = single(cache, world, id).await;
    world.asked_inside();
    let (number, _) = plain(cache, world, id / 2).await;
    world.asked_inside();
    Ok(vec![first?, Item::new(number)])
}

/// A change of what one tag stands for.
#[invalidates(tags = [World::tag(tag)], cache = cache)]
pub(crate) async fn change(cache: &Cache, tag: u64) -> Result<(), Broken> {
    yield_now().await;
    if tag % 16 == 3 { Err(Broken) } else { Ok(()) }
}

/// The same, for which a mark stands while it goes on.
#[invalidates(tags = [World::tag(tag)], crash_safe(deadline = "10s"), cache = cache)]
pub(crate) async fn change_safely(cache: &Cache, tag: u64) -> Result<(), Broken> {
    yield_now().await;
    if tag % 16 == 3 { Err(Broken) } else { Ok(()) }
}
