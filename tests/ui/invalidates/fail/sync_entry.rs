//! The call of a cached function that is not async.

use afresh::{cached, invalidates};

#[cached(ttl = 60)]
fn book(id: u32) -> u32 {
    id
}

#[invalidates(entries = [book(id)])]
fn f(id: u32) {
    let _ = id;
}

fn main() {
    f(1);
}
