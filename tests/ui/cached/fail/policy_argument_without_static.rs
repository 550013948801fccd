//! What a type parameter may borrow is for rustc to find.

use std::time::Duration;

use afresh::{Background, KeyPart, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

#[cached(ttl = 60, policy = SWIFT)]
async fn f<T: KeyPart + ToString + Send>(part: T) -> String {
    part.to_string()
}

fn main() {
    let _ = f(1);
}
