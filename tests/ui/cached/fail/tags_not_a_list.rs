//! Tags are a list.

use afresh::cached;

#[cached(tags = "books")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
