//! It says yes or no.

use afresh::cached;

#[cached(ttl = 60, store_if = |id| *id)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
