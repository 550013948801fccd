//! An option that is none, near one that is.

use afresh::KeyPart;

#[derive(KeyPart)]
struct Filter {
    author: u32,
    #[key(skp)]
    request: u64,
}

fn main() {}
