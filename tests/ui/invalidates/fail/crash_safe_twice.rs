//! Each part is written once.

use afresh::invalidates;

#[invalidates(tags = ["books"], crash_safe(required, required, deadline = "1s", deadline = "2s"))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
