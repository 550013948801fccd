//! `None` is a value, and no error.

use std::time::Duration;

use afresh::{Inline, Limited, Policy, cached};

const BOUNDED: Policy<Inline, Limited> = Policy::new().hard_timeout(Duration::from_secs(1));

#[cached(ttl = 60, policy = BOUNDED)]
async fn f(id: u32) -> Option<u32> {
    Some(id)
}

fn main() {
    let _ = f(1);
}
