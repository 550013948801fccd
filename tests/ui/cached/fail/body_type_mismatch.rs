//! The body returns something else: the error is in the body.

use afresh::cached;

#[cached(ttl = 60)]
async fn f(id: u32) -> u32 {
    let name = id.to_string();
    name
}

fn main() {
    let _ = f(1);
}
