//! A policy is a `Policy`, also of a sync function.

use std::time::Duration;

use afresh::cached;

#[cached(ttl = 60, policy = Duration::from_secs(60))]
fn f(id: u32) -> u32 {
    id
}

fn main() {
    f(1);
}
