//! The bounds of a single flight have units.

use afresh::cached;

#[cached(singleflight(wait = 30))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
