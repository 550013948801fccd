//! When to invalidate is a word without quotes.

use afresh::invalidates;

#[invalidates(tags = ["books"], when = "before")]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
