//! An option that does not exist, near none.

use afresh::cached;

#[cached(jitter = 0.1)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
