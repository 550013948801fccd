//! One function is cached, or invalidates.

use afresh::cached;

#[cached(ttl = 60)]
#[afresh::invalidates(tags = ["books"])]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
