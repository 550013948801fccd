//! A value that cannot be cloned.

use afresh::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct Book;

#[cached(ttl = 60)]
async fn f(id: u32) -> Book {
    let _ = id;
    Book
}

fn main() {
    let _ = f(1);
}
