//! A value of one variant makes the text of another.

use afresh::Tag;

#[derive(Tag)]
enum Shop {
    Genre(String),
    #[tag("genre:all")]
    Genres,
}

fn main() {}
