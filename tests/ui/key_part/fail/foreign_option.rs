//! What other libraries call it.

use afresh::KeyPart;

#[derive(KeyPart)]
struct Filter {
    author: u32,
    #[key(ignore)]
    request: u64,
}

fn main() {}
