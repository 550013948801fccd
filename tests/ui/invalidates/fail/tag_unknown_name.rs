//! A tag names an argument that does not exist.

use afresh::invalidates;

#[invalidates(tags = ["book:{idd}"])]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
