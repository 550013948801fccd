//! The call of an entry is not awaited.

use afresh::invalidates;

#[invalidates(entries = [book(id).await])]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
