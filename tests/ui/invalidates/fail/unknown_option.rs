//! An option that does not exist.

use afresh::invalidates;

#[invalidates(tegs = ["books"])]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
