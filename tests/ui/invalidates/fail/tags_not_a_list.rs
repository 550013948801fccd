//! Tags are a list.

use afresh::invalidates;

#[invalidates(tags = "books")]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
