//! An option that does not exist, near none.

use afresh::cached;

#[cached(audience = 3)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
