//! A ttl cannot be negative.

use afresh::cached;

#[cached(ttl = -5)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
