//! What the type without a name cannot do is told where it is asked for.

use std::fmt::Display;

use afresh::invalidates;

#[invalidates(tags = ["book:{id}"], crash_safe(required))]
async fn rename(id: u32) -> impl Display {
    id
}

#[invalidates(result_tags = |book| ["book:{book.id}"])]
async fn remove(id: u32) -> impl Display {
    id
}

#[invalidates(tags = ["book:{id}"])]
fn replace(id: u32) -> Result<impl Display, u8> {
    Ok(Some(id))
}

fn main() {
    drop((rename(1), remove(1)));
    let _ = replace(1);
}
