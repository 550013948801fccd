//! A function without arguments has none to skip.

use afresh::cached;

#[cached(skip(id))]
async fn f() -> u32 {
    1
}

fn main() {
    let _ = f();
}
