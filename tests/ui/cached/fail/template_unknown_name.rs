//! A template names an argument that does not exist.

use afresh::cached;

#[cached(key = "{idd}")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
