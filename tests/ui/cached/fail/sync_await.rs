//! A body that awaits in a function that is not async: the user's own mistake.

use afresh::cached;

async fn load(id: u32) -> u32 {
    id
}

#[cached(ttl = 60)]
fn f(id: u32) -> u32 {
    load(id).await
}

fn main() {
    let _ = f(1);
}
