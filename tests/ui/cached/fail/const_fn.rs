//! A `const fn`.

use afresh::cached;

#[cached(ttl = 60)]
const fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
