//! Names that belong elsewhere: what to write instead.

use afresh::invalidates;

#[invalidates(key = "{id}", namespace = "books", ttl = 60, before)]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
