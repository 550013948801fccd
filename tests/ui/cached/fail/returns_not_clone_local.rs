//! A value that cannot be cloned, kept in this process.

use afresh::cached;

struct Book;

#[cached(ttl = 60, local)]
async fn f(id: u32) -> Option<Book> {
    let _ = id;
    Some(Book)
}

fn main() {
    let _ = f(1);
}
