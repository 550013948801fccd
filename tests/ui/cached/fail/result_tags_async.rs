//! `result_tags` cannot wait.

use afresh::cached;

#[cached(result_tags = async |id| ["book:{id}"])]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
