//! Two placeholders with nothing between them, in a tag.

use afresh::cached;

#[cached(tags = ["{a}{b}"])]
async fn f(a: u32, b: u32) -> u32 {
    a + b
}

fn main() {
    let _ = f(1, 2);
}
