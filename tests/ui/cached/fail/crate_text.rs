//! `crate` is a path.

use afresh::cached;

#[cached(crate = "afresh")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
