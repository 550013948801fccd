//! A future that comes out of a future.

use afresh::invalidates;

#[invalidates(tags = ["book:{id}"])]
async fn rename(id: u32) -> Result<impl Future<Output = u32>, String> {
    Ok(async move { id })
}

fn main() {
    drop(rename(1));
}
