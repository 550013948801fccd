//! Options are separated by commas.

use afresh::cached;

#[cached(ttl = 60 local)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
