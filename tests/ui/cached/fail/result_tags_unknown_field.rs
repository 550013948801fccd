//! A field that the value does not have.

use afresh::cached;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Book {
    author: u32,
}

#[cached(result_tags = |book| ["author:{book.autor}"])]
async fn f(author: u32) -> Book {
    Book { author }
}

fn main() {
    let _ = f(1);
}
