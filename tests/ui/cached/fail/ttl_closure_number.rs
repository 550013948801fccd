//! A closure gives a `Duration`.

use afresh::cached;

#[cached(ttl = |id| 60)]
async fn f(id: u32) -> u32 {
    id
}

#[cached(ttl = |id| 60 * 30)]
async fn g(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
    let _ = g(1);
}
