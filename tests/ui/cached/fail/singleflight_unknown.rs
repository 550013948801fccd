//! The bounds of a single flight.

use afresh::cached;

#[cached(singleflight(timeout = "5s", lease))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
