//! A ttl made from the value is not there yet.

use afresh::cached;

#[cached(ttl = |v| v.ttl)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
