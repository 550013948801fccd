//! A field is left out, or it is replaced.

use afresh::KeyPart;

#[derive(KeyPart)]
struct Filter {
    #[key(skip, with = Clone::clone)]
    author: u32,
}

fn main() {}
