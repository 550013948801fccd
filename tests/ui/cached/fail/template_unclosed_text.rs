//! Placeholders that do not end, before more text and before nothing.

use afresh::cached;

#[cached(key = "{id:book")]
async fn f(id: u32) -> u32 {
    id
}

#[cached(key = "book:{")]
async fn g(id: u32) -> u32 {
    id
}

fn main() {
    let _ = (f(1), g(1));
}
