//! A function that returns a future and is not `async`.

use std::pin::Pin;

use afresh::cached;

async fn load(id: u32) -> u32 {
    id
}

#[cached(ttl = 60)]
fn book(id: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(load(id))
}

fn main() {
    let _ = book(1);
}
