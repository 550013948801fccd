//! The change is made in a task, and may not have been when its handle is returned.

use afresh::invalidates;

#[invalidates(tags = ["book:{id}"])]
fn rename(id: u32) -> tokio::task::JoinHandle<u32> {
    tokio::spawn(async move { id })
}

fn main() {
    let _ = rename(1);
}
