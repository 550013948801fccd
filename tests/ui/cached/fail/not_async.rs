//! A function that is not asynchronous.

use afresh::cached;

#[cached(ttl = 60)]
fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
