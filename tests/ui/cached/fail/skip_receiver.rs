//! An associated function has no `self` to skip.

use afresh::cached;

struct Shop;

impl Shop {
    #[cached(ttl = 60, skip(self))]
    fn f(id: u32) -> u32 {
        id
    }
}

fn main() {
    let _ = (Shop, Shop::f(1));
}
