//! A bound of a single flight is given once.

use afresh::cached;

#[cached(singleflight(lease = "1s", lease = "2s"))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
