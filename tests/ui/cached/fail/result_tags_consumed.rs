//! The body may not consume an argument that `result_tags` names.

use afresh::cached;

#[cached(key = "{name}", result_tags = |_| ["name:{name}"])]
async fn f(name: String) -> usize {
    drop(name);
    1
}

fn main() {
    let _ = f(String::new());
}
