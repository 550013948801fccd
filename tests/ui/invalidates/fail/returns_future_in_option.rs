//! A future that is not always there, by its name and by another one.

use std::pin::Pin;

use afresh::invalidates;

type Change = Pin<Box<dyn Future<Output = u32>>>;

#[invalidates(tags = ["book:{id}"])]
fn rename(id: u32) -> Option<Pin<Box<dyn Future<Output = u32>>>> {
    Some(Box::pin(async move { id }))
}

#[invalidates(tags = ["book:{id}"])]
fn remove(id: u32) -> Option<Change> {
    Some(Box::pin(async move { id }))
}

fn main() {
    let _ = (rename(1), remove(1));
}
