//! The type has one option.

use afresh::Tag;

#[derive(Tag)]
#[tag(crat = afresh)]
enum Shop {
    Books,
}

fn main() {}
