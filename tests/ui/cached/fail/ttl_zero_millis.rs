//! No time at all, in another unit.

use afresh::cached;

#[cached(ttl = "0h0ms")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
