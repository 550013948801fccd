//! A ttl of zero stores nothing, as a text too.

use afresh::cached;

#[cached(ttl = "0s")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
