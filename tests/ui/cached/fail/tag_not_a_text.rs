//! A tag is a text.

use afresh::cached;

#[cached(tags = [7])]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
