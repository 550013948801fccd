//! A method that is only declared.

use afresh::cached;

trait Shop {
    #[cached(ttl = 60)]
    async fn f(&self) -> u32;
}

fn main() {}
