//! A policy is not a text.

use afresh::cached;

#[cached(ttl = 60, policy = "stale_for 1m")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
