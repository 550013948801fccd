//! Options that need a value.

use afresh::cached;

#[cached(ttl, key, tags, namespace = )]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
