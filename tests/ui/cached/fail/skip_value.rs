//! `skip` takes names, without values.

use afresh::cached;

#[cached(skip(id = 1))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
