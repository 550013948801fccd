//! A template names a field that does not exist.

use afresh::cached;

struct Page {
    number: u32,
}

#[cached(key = "{page.numbr}")]
async fn f(page: Page) -> u32 {
    page.number
}

fn main() {
    let _ = f(Page { number: 1 });
}
