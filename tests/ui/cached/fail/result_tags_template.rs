//! Where a text would look like a template and not be one.

use afresh::cached;

#[cached(result_tags = |id| vec!["book:{id}"])]
async fn f(id: u32) -> u32 {
    id
}

#[cached(result_tags = |id| {
    let id = id + 1;
    ["book:{id}"]
})]
async fn g(id: u32) -> u32 {
    id
}

#[cached(result_tags = |id| "book:{id}")]
async fn h(id: u32) -> u32 {
    id
}

fn main() {
    let _ = (f(1), g(1), h(1));
}
