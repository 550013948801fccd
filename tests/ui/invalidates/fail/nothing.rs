//! There is nothing to invalidate.

use afresh::invalidates;

#[invalidates]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
