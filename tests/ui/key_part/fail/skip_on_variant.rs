//! A variant is what the value is: it cannot be left out.

use afresh::KeyPart;

#[derive(KeyPart)]
enum Order {
    Newest,
    #[key(skip)]
    Oldest,
}

fn main() {}
