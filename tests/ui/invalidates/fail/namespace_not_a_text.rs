//! A namespace is a text.

use afresh::invalidates;

#[invalidates(namespaces = [books, ""])]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
