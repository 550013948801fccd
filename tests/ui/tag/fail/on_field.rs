//! A template belongs on the variant.

use afresh::Tag;

#[derive(Tag)]
enum Shop {
    Book(#[tag("book:{0}")] i64),
}

fn main() {}
