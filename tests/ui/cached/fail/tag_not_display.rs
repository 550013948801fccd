//! A tag takes what can be displayed.

use afresh::cached;

#[derive(Clone)]
struct Page(u32);

#[cached(key = (page.0), tags = ["page:{page}"])]
async fn f(page: Page) -> u32 {
    page.0
}

#[cached(local, result_tags = |page| ["page:{page}"])]
async fn g(number: u32) -> Page {
    Page(number)
}

fn main() {
    let _ = (f(Page(1)), g(1));
}
