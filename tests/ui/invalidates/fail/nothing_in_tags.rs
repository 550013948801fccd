//! An empty list invalidates nothing.

use afresh::invalidates;

#[invalidates(tags = [])]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = f(1);
}
