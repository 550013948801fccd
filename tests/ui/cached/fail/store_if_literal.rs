//! `store_if` is given the value.

use afresh::cached;

#[cached(store_if = true)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
