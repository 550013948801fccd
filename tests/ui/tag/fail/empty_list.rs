//! An attribute that says nothing.

use afresh::Tag;

#[derive(Tag)]
#[tag()]
struct Book(i64);

fn main() {}
