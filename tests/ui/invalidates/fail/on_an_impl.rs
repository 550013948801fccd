//! An attribute on all methods at once.

use afresh::invalidates;

struct Shop;

#[invalidates(tags = ["books"])]
impl Shop {}

fn main() {
    let _ = Shop;
}
