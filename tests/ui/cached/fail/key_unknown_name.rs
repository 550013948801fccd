//! An expression as a key names what does not exist.

use afresh::cached;

#[cached(key = (idd, 1))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
