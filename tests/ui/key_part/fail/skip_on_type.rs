//! What belongs on a field is on the type.

use afresh::KeyPart;

#[derive(KeyPart)]
#[key(skip)]
struct Filter {
    author: u32,
}

fn main() {}
