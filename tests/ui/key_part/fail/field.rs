//! A field that cannot be part of a key.

use afresh::KeyPart;

struct Db;

#[derive(KeyPart)]
struct Filter {
    author: u32,
    db: Vec<Db>,
}

fn main() {}
