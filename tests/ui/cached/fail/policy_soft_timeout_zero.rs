//! A wait of no time is none.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const WRONG: Policy<Background> = Policy::new().soft_timeout(Duration::ZERO);

#[cached(ttl = 60, policy = WRONG)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
