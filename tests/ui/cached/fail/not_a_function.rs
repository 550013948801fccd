//! An attribute on something else.

use afresh::cached;

#[derive(Clone)]
struct Shop;

#[cached(ttl = 60)]
impl Shop {
    async fn f(&self) -> u32 {
        1
    }
}

fn main() {
    let _ = Shop.f();
}
