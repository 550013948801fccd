//! A tag names an argument that does not exist.

use afresh::cached;

#[cached(tags = ["book:{ID}"])]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
