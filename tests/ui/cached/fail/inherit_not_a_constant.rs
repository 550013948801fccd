//! A value that is no `bool`.

use afresh::cached;

#[cached(ttl = 60, inherit = "no")]
async fn book(id: u32) -> u32 {
    id
}

fn main() {
    let _ = book(1);
}
