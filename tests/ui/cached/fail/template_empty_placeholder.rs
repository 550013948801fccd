//! A placeholder without a name.

use afresh::cached;

#[cached(key = "book:{}")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
