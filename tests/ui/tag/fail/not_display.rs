//! A value in a tag is displayed.

use afresh::Tag;

struct Isbn(u64);

#[derive(Tag)]
struct Book(Isbn);

fn main() {}
