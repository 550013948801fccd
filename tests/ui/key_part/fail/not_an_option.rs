//! What is not an option, on a type and on a field.

use afresh::KeyPart;

#[derive(KeyPart)]
#[key("filter")]
struct Filter {
    #[key("author")]
    author: u32,
}

fn main() {}
