//! When to invalidate.

use afresh::invalidates;

#[invalidates(tags = ["books"], when = after)]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
