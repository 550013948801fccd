//! It is a flag, or a list.

use afresh::invalidates;

#[invalidates(tags = ["books"], crash_safe = "10s")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
