//! An entry is a call.

use afresh::invalidates;

#[invalidates(entries = [book, "book"])]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
