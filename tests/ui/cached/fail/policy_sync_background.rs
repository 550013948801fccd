//! A sync function has nowhere else to compute.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

#[cached(ttl = 60, policy = SWIFT)]
fn f(id: u32) -> u32 {
    id
}

fn main() {
    f(1);
}
