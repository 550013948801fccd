//! The names of a list are separated by commas.

use afresh::cached;

#[cached(skip(id id))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
