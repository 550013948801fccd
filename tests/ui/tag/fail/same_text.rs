//! Two variants with one text.

use afresh::Tag;

#[derive(Tag)]
enum Shop {
    Books,
    #[tag("books")]
    All,
}

fn main() {}
