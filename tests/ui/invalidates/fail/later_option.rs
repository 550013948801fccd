//! An option that is not there yet.

use afresh::invalidates;

#[invalidates(tags = ["books"], crash_safe)]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
