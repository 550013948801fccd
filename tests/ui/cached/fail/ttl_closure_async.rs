//! It is asked between the body and the store.

use afresh::cached;

#[cached(ttl = async |id| std::time::Duration::from_secs(u64::from(*id)))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
