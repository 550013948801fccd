//! A namespace is a text.

use afresh::cached;

#[cached(namespace = books)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
