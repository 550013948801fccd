//! What is behind a reference has to be owned.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

struct Db(u32);

#[cached(ttl = 60, key = "{id}", policy = SWIFT)]
async fn f(db: &Db, id: u32) -> u32 {
    db.0 + id
}

fn main() {
    let _ = f(&Db(1), 1);
}
