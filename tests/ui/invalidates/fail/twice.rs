//! One mutation, one attribute.

use afresh::invalidates;

#[invalidates(tags = ["books"])]
#[invalidates(tags = ["pages"])]
fn f(id: u32) {
    let _ = id;
}

fn main() {
    f(1);
}
