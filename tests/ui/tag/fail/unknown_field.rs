//! A template names what is not a field.

use afresh::Tag;

#[derive(Tag)]
enum Shop {
    #[tag("shelf:{rom}:{no}")]
    Shelf { room: u8, no: u16 },
}

fn main() {}
