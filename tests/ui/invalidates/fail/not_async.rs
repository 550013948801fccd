//! A function that is not asynchronous.

use afresh::invalidates;

#[invalidates(tags = ["books"])]
fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
