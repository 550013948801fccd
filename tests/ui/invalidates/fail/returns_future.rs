//! A mutation that returns a future and is not `async`.

use afresh::invalidates;

#[invalidates(tags = ["book:{id}"])]
fn rename(id: u32) -> impl Future<Output = u32> {
    async move { id }
}

fn main() {
    let _ = rename(1);
}
