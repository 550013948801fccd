//! A namespace has a name.

use afresh::cached;

#[cached(namespace = "")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
