//! Nobody knows which field of a union is its value.

use afresh::Tag;

#[derive(Tag)]
union Bits {
    int: u32,
    float: f32,
}

fn main() {}
