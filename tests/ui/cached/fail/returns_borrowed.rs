//! A return type that borrows.

use afresh::cached;

#[cached(ttl = 60)]
async fn f(name: &str) -> Option<&str> {
    Some(name)
}

fn main() {
    let _ = f("a");
}
