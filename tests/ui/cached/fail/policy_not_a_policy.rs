//! A policy is a `Policy`.

use std::time::Duration;

use afresh::cached;

#[cached(ttl = 60, policy = Duration::from_secs(60))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
