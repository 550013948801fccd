//! A placeholder with a format.

use afresh::cached;

#[cached(key = "{id:?}")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
