//! Two variants with one template.

use afresh::Tag;

#[derive(Tag)]
enum Shop {
    Book(i64),
    #[tag("book:{0}")]
    Tome(i64),
}

fn main() {}
