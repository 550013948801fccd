//! Tags made from the value have an option of their own.

use afresh::cached;

#[cached(tags = |v| [v.to_string()])]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
