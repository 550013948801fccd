//! The bounds of a single flight are not zero.

use afresh::cached;

#[cached(singleflight(lease = "0s"))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
