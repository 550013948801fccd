//! An option that is spelled like a type.

use afresh::cached;

#[cached(Ttl = 60)]
fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
