//! A version is a number.

use afresh::cached;

#[cached(version = "2")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
