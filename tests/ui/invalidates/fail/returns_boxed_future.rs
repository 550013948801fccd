//! A future in a box that is not pinned.

use afresh::invalidates;

#[invalidates(tags = ["book:{id}"])]
fn rename(id: u32) -> Box<dyn Future<Output = u32>> {
    Box::new(async move { id })
}

fn main() {
    drop(rename(1));
}
