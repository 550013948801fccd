//! What is changed in place cannot be owned.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

#[cached(ttl = 60, key = (), policy = SWIFT)]
async fn f(counts: &mut Vec<u32>) -> usize {
    counts.push(1);
    counts.len()
}

fn main() {
    let _ = f(&mut Vec::new());
}
