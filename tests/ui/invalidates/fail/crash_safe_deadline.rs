//! A deadline is a literal within bounds.

use afresh::invalidates;

#[invalidates(tags = ["books"], crash_safe(deadline = "999ms"))]
async fn f(id: u32) -> u32 {
    id
}

#[invalidates(tags = ["books"], crash_safe(deadline = "1h1ms"))]
async fn g(id: u32) -> u32 {
    id
}

#[invalidates(tags = ["books"], crash_safe(deadline = 10))]
async fn h(id: u32) -> u32 {
    id
}

fn main() {
    let _ = (f(1), g(1), h(1));
}
