//! A template names `self` where there is none.

use afresh::cached;

#[cached(key = "{self.id}")]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
