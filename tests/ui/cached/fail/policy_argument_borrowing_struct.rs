//! A struct that borrows cannot be owned.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

struct Session<'a>(&'a str);

#[cached(ttl = 60, skip(session), policy = SWIFT)]
async fn f(session: Session<'_>) -> usize {
    session.0.len()
}

fn main() {
    let _ = f(Session(""));
}
