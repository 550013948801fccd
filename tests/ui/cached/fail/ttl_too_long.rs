//! A ttl that cannot be counted.

use afresh::cached;

#[cached(ttl = 18446744073709551615)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
