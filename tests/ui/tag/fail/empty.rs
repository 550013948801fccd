//! A tag is at least one character.

use afresh::Tag;

#[derive(Tag)]
enum Shop {
    #[tag("")]
    Books,
}

fn main() {}
