//! A deadline of nothing, and one that is no number of milliseconds.

use afresh::invalidates;

#[invalidates(tags = ["books"], crash_safe(deadline = "0s"))]
async fn f(id: u32) {
    let _ = id;
}

#[invalidates(tags = ["books"], crash_safe(deadline = "99999999999999999999d"))]
async fn g(id: u32) {
    let _ = id;
}

fn main() {
    let _ = (f(1), g(1));
}
