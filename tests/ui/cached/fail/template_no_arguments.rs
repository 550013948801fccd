//! A template names an argument of a function that has none.

use afresh::cached;

#[cached(key = "{id}")]
async fn f() -> u32 {
    1
}

fn main() {
    let _ = f();
}
