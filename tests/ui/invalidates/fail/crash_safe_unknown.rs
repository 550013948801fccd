//! It has two parts.

use afresh::invalidates;

#[invalidates(tags = ["books"], crash_safe(timeout = "10s"))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
