//! In `&[]`, texts would not be templates.

use afresh::cached;

#[cached(tags = &["book:{id}"])]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
