//! The call of an entry is type-checked.

use afresh::{cached, invalidates};

#[cached(ttl = 60)]
async fn book(id: u32) -> u32 {
    id
}

#[invalidates(entries = [book("one")])]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
