//! `result_tags` is given one thing.

use afresh::cached;

#[cached(result_tags = |a, b| [a, b])]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
