//! A receiver has to be owned, too.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

struct Shop {
    name: String,
}

impl Shop {
    #[cached(ttl = 60, key = "{self.name}:{id}", policy = SWIFT)]
    async fn book(&self, id: u32) -> String {
        format!("{}{id}", self.name)
    }
}

fn main() {
    let _ = Shop { name: String::new() }.book(1);
}
