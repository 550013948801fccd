//! Entries are a list.

use afresh::invalidates;

#[invalidates(entries = book(id))]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
