//! Nothing tells where the first value ends.

use afresh::Tag;

#[derive(Tag)]
#[tag("shelf:{0}{1}")]
struct Shelf(u8, u16);

fn main() {}
