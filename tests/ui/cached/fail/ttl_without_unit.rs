//! A ttl as a text has a unit.

use afresh::cached;

#[cached(ttl = "30")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
