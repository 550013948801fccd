//! A mutation at compile time.

use afresh::invalidates;

#[invalidates(tags = ["books"])]
const fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
