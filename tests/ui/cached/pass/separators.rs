//! Separators with one character that a value cannot contain.

use afresh::cached;

#[cached(key = "v1-{a}:{b}/x{c}, {d} {{{e}}}")]
async fn f(a: u8, b: u8, c: u8, d: u8, e: u8) -> u8 {
    a + b + c + d + e
}

fn main() {
    let _ = f(1, 2, 3, 4, 5);
}
