//! A text that is no ttl.

use afresh::cached;

#[cached(ttl = "soon")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
