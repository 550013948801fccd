//! The shorter time goes first.

use std::time::Duration;

use afresh::{Policy, cached};

const WRONG: Policy = Policy::new().backoff(Duration::from_secs(2), Duration::from_secs(1));

#[cached(ttl = 60, policy = WRONG)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
