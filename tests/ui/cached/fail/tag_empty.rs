//! A tag has a name.

use afresh::cached;

#[cached(tags = ["books", ""])]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
