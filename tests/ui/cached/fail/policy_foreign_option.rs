//! What other libraries call the settings of a policy.

use afresh::cached;

#[cached(
    ttl = 60,
    swr = "1m",
    stale = "1m",
    stale_while_revalidate = "1m",
    refresh,
    early_refresh = 0.8,
    grace = "1h",
    fail_safe,
    result_fallback = true,
    timeout = "2s"
)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
