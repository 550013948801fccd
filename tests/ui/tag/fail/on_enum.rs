//! Each variant makes a tag of its own.

use afresh::Tag;

#[derive(Tag)]
#[tag("shop")]
enum Shop {
    Books,
}

fn main() {}
