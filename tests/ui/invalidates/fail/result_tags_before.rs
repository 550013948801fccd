//! What follows from the value is not known before the body.

use afresh::invalidates;

#[invalidates(tags = ["books"], result_tags = |id| ["book:{id}"], when = before)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
