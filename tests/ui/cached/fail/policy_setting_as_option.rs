//! What a policy says is written in the policy.

use afresh::cached;

#[cached(
    ttl = 60,
    stale_for = "1m",
    stale_if_error = "1h",
    backoff = "1s",
    refresh_ahead = 0.8,
    soft_timeout = "1s",
    hard_timeout = "1s",
    background_timeout = "1m",
    jitter = 0.1
)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
