//! A ttl is a time.

use afresh::cached;

#[cached(ttl = true)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
