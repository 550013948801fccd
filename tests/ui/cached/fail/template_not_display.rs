//! A template takes what can be displayed.

use afresh::cached;

struct Page(u32);

#[cached(key = "{page}")]
async fn f(page: Page) -> u32 {
    page.0
}

fn main() {
    let _ = f(Page(1));
}
