//! An item of a list that ends at its `=`, and a flag that does.

use afresh::cached;

#[cached(singleflight(lease = , wait = "5s"))]
async fn f(id: u32) -> u32 {
    id
}

#[cached(local = )]
async fn g(id: u32) -> u32 {
    id
}

fn main() {
    let _ = (f(1), g(1));
}
