//! A future by another name, alone and in a `Result`.

use std::pin::Pin;

use afresh::invalidates;

type Change = Pin<Box<dyn Future<Output = u32>>>;

#[invalidates(tags = ["book:{id}"])]
fn rename(id: u32) -> Change {
    Box::pin(async move { id })
}

#[invalidates(tags = ["book:{id}"])]
fn remove(id: u32) -> Result<Change, String> {
    Ok(Box::pin(async move { id }))
}

#[invalidates(tags = ["book"])]
fn run<F: Future>(change: F) -> F {
    change
}

fn main() {
    let _ = (rename(1), remove(1), run(rename(1)));
}
