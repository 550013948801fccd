//! A flag takes no value.

use afresh::KeyPart;

#[derive(KeyPart)]
struct Filter {
    #[key(skip = true)]
    author: u32,
}

fn main() {}
