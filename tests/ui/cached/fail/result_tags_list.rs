//! `result_tags` is given the value.

use afresh::cached;

#[cached(result_tags = ["books"])]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
