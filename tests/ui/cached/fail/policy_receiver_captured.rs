//! A text that captures the receiver refers to the caller's.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

#[derive(Clone)]
struct Shop(u32);

impl std::fmt::Display for Shop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Shop {
    #[cached(ttl = 60, key = "{self.0}", policy = SWIFT)]
    async fn name(&self) -> String {
        format!("shop {self}")
    }
}

fn main() {
    let _ = Shop(1).name();
}
