//! The body may not consume an argument that the ttl names.

use std::time::Duration;

use afresh::cached;

#[cached(key = "{name}", ttl = |_| Duration::from_secs(name.len() as u64))]
async fn f(name: String) -> String {
    name
}

fn main() {
    let _ = f(String::new());
}
