//! A method with a body in a trait.

use afresh::cached;

trait Shop {
    #[cached(ttl = 60, key = "{id}")]
    async fn f(&self, id: u32) -> u32 {
        id
    }
}

impl Shop for () {}

fn main() {
    let _ = ().f(1);
}
