//! Every option, in another order.

use afresh::{cached, invalidates};

#[cached(ttl = 60)]
async fn book(id: u32) -> u32 {
    id
}

#[invalidates(
    when = success,
    namespaces = ["lists", "pages"],
    entries = [book(id), book(id + 1)],
    tags = ["books", format!("book:{id}")],
    crate = ::afresh,
)]
async fn rename(id: u32) -> Result<(), String> {
    let _ = id;
    Ok(())
}

fn main() {
    let _ = rename(1);
}
