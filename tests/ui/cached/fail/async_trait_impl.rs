//! The attribute is on the methods, not on the implementation that `#[async_trait]` is on.

use afresh::cached;
use async_trait::async_trait;

#[async_trait]
trait Books {
    async fn f(&self, id: u32) -> u32;
}

struct Shop;

#[cached(ttl = 60)]
#[async_trait]
impl Books for Shop {
    async fn f(&self, id: u32) -> u32 {
        id
    }
}

fn main() {
    let _ = Shop.f(1);
}
