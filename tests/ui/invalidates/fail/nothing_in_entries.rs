//! Empty lists invalidate nothing.

use afresh::invalidates;

#[invalidates(entries = [], namespaces = [])]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
