//! A sync function ends when its body does.

use std::time::Duration;

use afresh::{Inline, Limited, Policy, cached};

const BOUNDED: Policy<Inline, Limited> = Policy::new().hard_timeout(Duration::from_secs(1));

#[cached(ttl = 60, policy = BOUNDED)]
fn f(id: u32) -> Result<u32, afresh::Error> {
    Ok(id)
}

fn main() {
    let _ = f(1);
}
