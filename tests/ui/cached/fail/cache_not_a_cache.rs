//! The option `cache` is a `Cache`.

use afresh::cached;

#[cached(ttl = 60, cache = "redis://localhost")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
