//! A type parameter says what it can.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

#[cached(ttl = 60, skip(part), policy = SWIFT)]
async fn f<T: ToString>(part: &T) -> String {
    part.to_string()
}

fn main() {
    let _ = f(&1);
}
