//! A ttl is whole seconds.

use afresh::cached;

#[cached(ttl = 1.5)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
