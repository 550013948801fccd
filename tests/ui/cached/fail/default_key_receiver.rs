//! The default key does not know what identifies `self`.

use afresh::cached;

struct Shop;

impl Shop {
    #[cached]
    async fn f(&self, id: u32) -> u32 {
        id
    }
}

fn main() {
    let _ = Shop.f(1);
}
