//! The units of a ttl.

use afresh::cached;

#[cached(ttl = "2w")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
