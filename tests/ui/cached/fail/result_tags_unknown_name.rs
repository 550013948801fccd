//! A template names the value, or an argument.

use afresh::cached;

#[cached(result_tags = |book| ["book:{bok}", "author:{author}"])]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
