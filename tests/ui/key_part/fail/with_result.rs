//! What replaces a field is no key part either.

use afresh::KeyPart;

struct Shop;

#[derive(KeyPart)]
struct Filter {
    #[key(with = |it| Shop)]
    shop: u32,
}

fn main() {}
