//! The mark is placed before there is a value.

use afresh::invalidates;

#[invalidates(result_tags = |id| ["book:{id}"], crash_safe)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
