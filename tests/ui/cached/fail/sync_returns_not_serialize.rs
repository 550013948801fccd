//! What a plain function returns can be stored.

use afresh::cached;

#[derive(Clone)]
struct Book;

#[cached(ttl = 60)]
fn f(id: u32) -> Result<Book, String> {
    Ok([Book][id as usize].clone())
}

fn main() {
    let _ = f(0);
}
