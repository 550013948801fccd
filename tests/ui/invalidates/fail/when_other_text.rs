//! A text that is not a word of `when`, and what is not a word.

use afresh::invalidates;

#[invalidates(tags = ["books"], when = "after")]
async fn f(id: u32) {
    let _ = id;
}

#[invalidates(tags = ["books"], when = When::Before)]
async fn g(id: u32) {
    let _ = id;
}

fn main() {
    let _ = (f(1), g(1));
}
