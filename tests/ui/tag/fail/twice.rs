//! A variant has one template.

use afresh::Tag;

#[derive(Tag)]
enum Shop {
    #[tag("books")]
    #[tag("book")]
    Books,
}

fn main() {}
