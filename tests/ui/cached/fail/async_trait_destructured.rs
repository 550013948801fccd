//! What `#[async_trait]` destructures cannot be named.

use afresh::cached;

#[async_trait::async_trait]
trait Shop {
    #[cached(key = "{a}")]
    async fn f(&self, (a, b): (u32, u32)) -> u32 {
        a + b
    }
}

impl Shop for () {}

fn main() {
    let _ = ().f((1, 2));
}
