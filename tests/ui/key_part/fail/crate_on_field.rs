//! What belongs on the type is on a field.

use afresh::KeyPart;

#[derive(KeyPart)]
struct Filter {
    #[key(crate = afresh)]
    author: u32,
}

fn main() {}
