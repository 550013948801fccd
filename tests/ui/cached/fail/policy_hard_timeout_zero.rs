//! A bound of no time leaves none to compute.

use std::time::Duration;

use afresh::{Inline, Limited, Policy, cached};

const WRONG: Policy<Inline, Limited> = Policy::new().hard_timeout(Duration::ZERO);

#[cached(ttl = 60, policy = WRONG)]
async fn f(id: u32) -> Result<u32, afresh::Error> {
    Ok(id)
}

fn main() {
    let _ = f(1);
}
