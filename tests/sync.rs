//! Cached functions and mutations that are not async, in this process: from wherever they may be
//! called they hit, miss and share computes as async ones do, and every wait ends. What they do
//! with a shared cache is in `sync_shared.rs`.

#[path = "sync/changes.rs"]
mod changes;
#[path = "sync/contexts.rs"]
mod contexts;
#[path = "sync/costs.rs"]
mod costs;
#[path = "sync/flights.rs"]
mod flights;
#[path = "sync/places.rs"]
mod places;
#[path = "sync/world.rs"]
mod world;

use std::sync::Arc;

use afresh::Cache;

use crate::world::World;

fn in_memory() -> Arc<World> {
    World::on(Cache::in_memory())
}
