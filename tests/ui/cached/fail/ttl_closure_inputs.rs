//! It is given the value.

use afresh::cached;

#[cached(ttl = || std::time::Duration::from_secs(60))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
