//! A function whose future is its own cannot be found `Send`.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

#[cached(ttl = 60, policy = SWIFT)]
async fn f(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    Box::pin(f(n - 1)).await + Box::pin(f(n - 2)).await
}

fn main() {
    let _ = f(1);
}
