//! A field that can neither be borrowed nor copied.

use afresh::KeyPart;

#[derive(KeyPart)]
#[repr(packed)]
struct Filter<T> {
    author: u32,
    words: Vec<String>,
    more: T,
}

fn main() {}
