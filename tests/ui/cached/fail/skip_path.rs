//! `skip` takes names.

use afresh::cached;

#[cached(skip(&id))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
