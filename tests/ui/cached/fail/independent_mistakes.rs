//! Independent mistakes are reported together.

use afresh::cached;

#[cached(ttl = 0, tll = 3, key = "{idd}", tags = [""], namespace = "")]
fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
