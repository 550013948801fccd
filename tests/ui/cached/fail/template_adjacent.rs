//! Two placeholders with nothing between them.

use afresh::cached;

#[cached(key = "{a}{b}")]
async fn f(a: u32, b: u32) -> u32 {
    a + b
}

fn main() {
    let _ = f(1, 2);
}
