//! What is kept over an `.await` has to be `Send`.

use std::time::Duration;

use afresh::{Background, Policy, cached};

const SWIFT: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

use std::rc::Rc;

#[cached(ttl = 60, policy = SWIFT)]
async fn f(id: u32) -> u32 {
    let kept = Rc::new(id);
    std::future::ready(()).await;
    *kept
}

fn main() {
    let _ = f(1);
}
