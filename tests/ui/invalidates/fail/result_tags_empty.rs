//! A list without elements.

use afresh::invalidates;

#[invalidates(result_tags = |_| [])]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
