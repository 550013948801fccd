//! What is not an option.

use afresh::invalidates;

#[invalidates("books")]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
