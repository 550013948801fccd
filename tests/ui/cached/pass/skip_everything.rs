//! Nothing has to be left in the key.

use afresh::cached;

struct Shop;

impl Shop {
    #[cached(skip(self, id))]
    async fn f(&self, id: std::rc::Rc<u32>) -> u32 {
        *id
    }
}

fn main() {
    let _ = Shop.f(std::rc::Rc::new(1));
}
