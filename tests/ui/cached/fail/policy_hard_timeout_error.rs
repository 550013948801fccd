//! A timeout needs an error that can be made of ours.

use std::time::Duration;

use afresh::{Inline, Limited, Policy, cached};

const BOUNDED: Policy<Inline, Limited> = Policy::new().hard_timeout(Duration::from_secs(1));

struct DbError;

#[cached(ttl = 60, policy = BOUNDED)]
async fn f(id: u32) -> Result<u32, DbError> {
    Ok(id)
}

fn main() {
    let _ = f(1);
}
