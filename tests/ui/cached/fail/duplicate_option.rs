//! An option is given once.

use afresh::cached;

#[cached(ttl = 60, local, ttl = 70)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
