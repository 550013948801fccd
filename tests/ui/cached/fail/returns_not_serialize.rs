//! A value that serde does not know.

use afresh::cached;

#[derive(Clone)]
struct Book;

#[cached(ttl = 60)]
async fn f(id: u32) -> Result<Book, String> {
    let _ = id;
    Ok(Book)
}

fn main() {
    let _ = f(1);
}
