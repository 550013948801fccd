//! A compute in the background takes some time.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const WRONG: Policy<Background> = Policy::new()
    .stale_for(Duration::from_secs(60))
    .background_timeout(Duration::from_micros(999));

#[cached(ttl = 60, policy = WRONG)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
