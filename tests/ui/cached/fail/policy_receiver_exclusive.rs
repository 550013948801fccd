//! The caller's `self` cannot be written to.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

#[derive(Clone)]
struct Shop(u32);

impl Shop {
    #[cached(ttl = 60, key = (), policy = SWIFT)]
    async fn next(&mut self) -> u32 {
        self.0 += 1;
        self.0
    }
}

fn main() {
    let _ = Shop(1).next();
}
