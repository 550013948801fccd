//! A type parameter that stands for what cannot be part of a key.

use afresh::{KeyPart, cached};

struct Db;

#[derive(KeyPart)]
struct Page<T> {
    of: Vec<T>,
}

#[cached]
async fn f(page: Page<Db>) -> u32 {
    let _ = page.of;
    1
}

fn main() {}
