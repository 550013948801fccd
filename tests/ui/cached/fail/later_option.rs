//! An option that is not there yet: what to do without.

use afresh::cached;

#[cached(policy = POLICY)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
