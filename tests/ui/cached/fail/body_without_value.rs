//! The body ends without a value.

use afresh::cached;

#[cached(ttl = 60)]
async fn f(id: u32) -> u32 {
    id + 1;
}

fn main() {
    let _ = f(1);
}
