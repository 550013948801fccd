//! A name that is near one of the options of `singleflight`.

use afresh::cached;

#[cached(singleflight(waits = "5s"))]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
