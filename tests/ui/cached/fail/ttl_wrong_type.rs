//! An expression as a ttl is a `Duration`.

use afresh::cached;

#[cached(ttl = 60 * 30)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
