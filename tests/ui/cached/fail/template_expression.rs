//! A placeholder with an expression.

use afresh::cached;

#[cached(key = "{id + 1}")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
