//! A key is an expression, not a closure.

use afresh::cached;

#[cached(key = |id| id)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
