//! The units of a ttl go from the longest to the shortest.

use afresh::cached;

#[cached(ttl = "5m1h")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
