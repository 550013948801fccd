//! The body may not consume an argument that `store_if` names.

use afresh::cached;

#[cached(key = "{name}", store_if = |found| found.len() > name.len())]
async fn f(name: String) -> String {
    name
}

fn main() {
    let _ = f(String::new());
}
