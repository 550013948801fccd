//! A field of a variant that cannot be part of a key.

use afresh::KeyPart;

struct Db;

#[derive(KeyPart)]
enum Filter {
    All,
    In(Db),
}

fn main() {}
