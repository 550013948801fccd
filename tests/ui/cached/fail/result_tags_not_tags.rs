//! What the closure gives must be several, of what can be a tag.

use afresh::cached;

#[cached(result_tags = |id| id.to_string())]
async fn f(id: u32) -> u32 {
    id
}

#[cached(result_tags = |id| [id])]
async fn g(id: u32) -> u32 {
    id
}

fn main() {
    let _ = (f(1), g(1));
}
