//! A flag takes no list.

use afresh::cached;

#[cached(local(true))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
