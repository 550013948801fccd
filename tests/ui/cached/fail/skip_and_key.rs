//! `skip` is about the default key.

use afresh::cached;

#[cached(key = "{id}", skip(id))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
