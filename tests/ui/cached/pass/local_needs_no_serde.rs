//! What is kept in this process needs no serde.

use afresh::cached;

#[derive(Clone)]
struct Book;

#[cached(local)]
async fn f() -> Option<Book> {
    Some(Book)
}

fn main() {
    let _ = f();
}
