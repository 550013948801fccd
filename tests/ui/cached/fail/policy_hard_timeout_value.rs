//! A timeout needs an error.

use std::time::Duration;

use afresh::{Inline, Limited, Policy, cached};

const BOUNDED: Policy<Inline, Limited> = Policy::new().hard_timeout(Duration::from_secs(1));

#[cached(ttl = 60, policy = BOUNDED)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
