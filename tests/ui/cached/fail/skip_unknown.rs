//! `skip` names an argument that does not exist.

use afresh::cached;

#[cached(skip(ids))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
