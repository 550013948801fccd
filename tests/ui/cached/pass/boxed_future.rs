//! A function that is written as `#[async_trait]` would write it.

use std::pin::Pin;

use afresh::cached;

#[cached(ttl = 60)]
fn book(id: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move { id })
}

fn main() {
    drop(book(1));
}
