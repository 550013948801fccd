//! A template names a field where there is none.

use afresh::Tag;

#[derive(Tag)]
enum Shop {
    #[tag("book:{0}")]
    Books,
}

fn main() {}
