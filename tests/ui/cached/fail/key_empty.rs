//! An empty key.

use afresh::cached;

#[cached(key = "")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
