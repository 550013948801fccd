//! A variant takes a template.

use afresh::Tag;

#[derive(Tag)]
enum Shop {
    #[tag(name = "books")]
    Books,
}

fn main() {}
