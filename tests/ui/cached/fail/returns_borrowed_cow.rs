//! A return type that may borrow.

use afresh::cached;

#[cached(ttl = 60)]
async fn f(name: &str) -> std::borrow::Cow<'_, str> {
    name.into()
}

fn main() {
    let _ = f("a");
}
