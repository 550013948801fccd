//! `singleflight` is a flag or a list.

use afresh::cached;

#[cached(singleflight = true)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
