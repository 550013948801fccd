//! A ttl of zero stores nothing.

use afresh::cached;

#[cached(ttl = 0)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
