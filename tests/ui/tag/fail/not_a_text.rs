//! A template is a text.

use afresh::Tag;

#[derive(Tag)]
#[tag(7)]
struct Book(i64);

fn main() {}
