//! A return type without a name.

use afresh::cached;

#[cached(ttl = 60)]
async fn f(id: u32) -> impl Iterator<Item = u32> {
    0..id
}

fn main() {
    let _ = f(1);
}
