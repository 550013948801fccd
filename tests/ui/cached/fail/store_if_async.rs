//! What decides whether to store cannot await.

use afresh::cached;

#[cached(ttl = 60, store_if = async |id| *id > 0)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
