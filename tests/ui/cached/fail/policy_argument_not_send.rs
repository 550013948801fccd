//! What stays on its thread cannot go along.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

use std::rc::Rc;

#[cached(ttl = 60, skip(names), policy = SWIFT)]
async fn f(names: Rc<Vec<String>>) -> usize {
    names.len()
}

fn main() {
    let _ = f(Rc::default());
}
