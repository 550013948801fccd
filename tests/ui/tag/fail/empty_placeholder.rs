//! A placeholder names a field.

use afresh::Tag;

#[derive(Tag)]
#[tag("book:{}")]
struct Book(i64);

fn main() {}
