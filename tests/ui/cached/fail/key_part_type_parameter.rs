//! Neither is one of a type parameter without that bound.

use afresh::cached;

#[cached(ttl = 60)]
fn f<T: Copy>(with: T) -> usize {
    size_of_val(&with)
}

fn main() {
    let _ = f(1);
}
