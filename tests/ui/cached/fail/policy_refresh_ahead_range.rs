//! Ahead means before the end.

use afresh::{Background, Policy, cached};

const WRONG: Policy<Background> = Policy::new().refresh_ahead(1.0);

#[cached(ttl = 60, policy = WRONG)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
