//! What a pattern borrows cannot be owned.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

#[cached(ttl = 60, policy = SWIFT)]
async fn f((name, id): &(String, u32)) -> String {
    format!("{name}{id}")
}

fn main() {
    let _ = f(&(String::new(), 1));
}
