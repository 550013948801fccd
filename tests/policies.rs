//! What a policy makes of calls: values past their ttl, computes in the background, timeouts.

#[path = "policies/edges.rs"]
mod edges;
#[path = "policies/memory.rs"]
mod memory;
#[cfg(feature = "redis")]
#[path = "policies/shared.rs"]
mod shared;
#[path = "policies/shop.rs"]
mod shop;
#[path = "policies/store.rs"]
mod store;
