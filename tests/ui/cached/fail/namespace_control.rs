//! A namespace has no control characters.

use afresh::cached;

#[cached(namespace = "books\n")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
