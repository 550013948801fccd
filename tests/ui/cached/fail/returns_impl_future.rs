//! A function that returns a future it does not name.

use afresh::cached;

#[cached(ttl = 60)]
fn book(id: u32) -> impl Future<Output = u32> {
    async move { id }
}

fn main() {
    let _ = book(1);
}
