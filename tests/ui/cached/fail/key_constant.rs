//! A key that is the same in every call.

use afresh::cached;

#[cached(key = 7)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
