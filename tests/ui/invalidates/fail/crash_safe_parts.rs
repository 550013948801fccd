//! One part takes a value, the other takes none.

use afresh::invalidates;

#[invalidates(tags = ["books"], crash_safe(deadline, required = true))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
