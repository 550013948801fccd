//! Nothing can come between a change and what precedes it.

use afresh::invalidates;

#[invalidates(tags = ["books"], crash_safe, when = before)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
