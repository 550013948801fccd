//! An option is given once.

use afresh::invalidates;

#[invalidates(tags = ["a"], tags = ["b"])]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
