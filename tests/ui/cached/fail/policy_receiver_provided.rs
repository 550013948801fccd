//! What implements a trait need not be `Clone`.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

trait Shop: Sync {
    fn name(&self) -> String;

    #[cached(ttl = 60, key = (self.name(), id), policy = SWIFT)]
    async fn book(&self, id: u32) -> String {
        format!("{}{id}", self.name())
    }
}

struct Kiosk;

impl Shop for Kiosk {
    fn name(&self) -> String {
        String::new()
    }
}

fn main() {
    let _ = Kiosk.book(1);
}
