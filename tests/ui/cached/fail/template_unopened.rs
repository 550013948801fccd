//! A brace that closes nothing.

use afresh::cached;

#[cached(key = "book:id}")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
