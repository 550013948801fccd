//! What a closure gives is a `Duration`.

use afresh::cached;

#[cached(ttl = |id| *id)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
