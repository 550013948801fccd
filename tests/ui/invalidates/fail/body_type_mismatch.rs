//! The body returns something else: the error is in the body.

use afresh::invalidates;

#[invalidates(tags = ["books"])]
async fn f(id: u32) -> Result<(), String> {
    id
}

fn main() {
    let _ = f(1);
}
