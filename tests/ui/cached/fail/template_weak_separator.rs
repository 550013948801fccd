//! Two placeholders separated by what a value may contain.

use afresh::cached;

#[cached(key = "{a}-{b}")]
async fn f(a: String, b: String) -> u32 {
    (a + &b).len() as u32
}

fn main() {
    let _ = f(String::new(), String::new());
}
