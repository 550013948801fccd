//! Names that other libraries use: what to write instead.

use afresh::cached;

#[cached(time = 60, sync_writes = true, name = "x", size = 100)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
