//! One function is cached, or invalidates: in either order.

use afresh::cached;

#[afresh::invalidates(tags = ["books"])]
#[cached(ttl = 60)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
