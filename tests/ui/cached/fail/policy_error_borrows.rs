//! What is returned has to be owned.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

#[cached(ttl = 60, policy = SWIFT)]
async fn f(name: &str) -> Result<String, &str> {
    if name.is_empty() { Err(name) } else { Ok(name.to_owned()) }
}

fn main() {
    let _ = f("");
}
