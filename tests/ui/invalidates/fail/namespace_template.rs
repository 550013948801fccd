//! A namespace is invalidated whole.

use afresh::invalidates;

#[invalidates(namespaces = ["books:{id}"])]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
