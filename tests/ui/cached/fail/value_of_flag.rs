//! A flag takes no value.

use afresh::cached;

#[cached(local = true)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
