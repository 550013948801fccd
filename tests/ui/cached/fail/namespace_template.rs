//! A namespace is not a template.

use afresh::cached;

#[cached(namespace = "books:{id}")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
