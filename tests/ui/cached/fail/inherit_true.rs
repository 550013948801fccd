//! The default, spelled out.

use afresh::cached;

#[cached(ttl = 60, inherit = true)]
async fn book(id: u32) -> u32 {
    id
}

fn main() {
    let _ = book(1);
}
