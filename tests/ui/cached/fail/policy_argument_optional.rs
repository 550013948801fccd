//! A reference inside of something else cannot be owned.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

#[cached(ttl = 60, policy = SWIFT)]
async fn f(name: Option<&str>) -> usize {
    name.map_or(0, str::len)
}

fn main() {
    let _ = f(None);
}
