//! Jitter is a part of the ttl.

use afresh::{Policy, cached};

const WRONG: Policy = Policy::new().jitter(2.0);

#[cached(ttl = 60, policy = WRONG)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
