//! An attribute on something else.

use afresh::invalidates;

#[invalidates(tags = ["books"])]
struct Shop;

fn main() {
    let _ = Shop;
}
