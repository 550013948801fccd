//! An argument of any type that has a trait is no part of a key.

use afresh::cached;

#[cached(ttl = 60)]
fn f(name: impl AsRef<str>) -> usize {
    name.as_ref().len()
}

fn main() {
    let _ = f("name");
}
