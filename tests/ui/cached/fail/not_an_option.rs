//! What is in the parentheses are options.

use afresh::cached;

#[cached(60)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
