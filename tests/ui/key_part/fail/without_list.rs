//! An attribute that says nothing.

use afresh::KeyPart;

#[derive(KeyPart)]
struct Filter {
    #[key]
    author: u32,
}

fn main() {}
