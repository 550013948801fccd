//! A value of `when` that is written as an option.

use afresh::invalidates;

#[invalidates(tags = ["books"], before)]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
