//! An option that does not exist, near one that does.

use afresh::cached;

#[cached(tll = 60)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
