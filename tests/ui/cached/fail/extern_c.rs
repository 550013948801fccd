//! A function for other languages.

use afresh::cached;

#[cached(ttl = 60)]
extern "C" fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
