//! Commas at the end, empty parentheses, an empty list of tags.

use afresh::cached;

#[cached()]
async fn f(id: u32) -> u32 {
    id
}

#[cached(ttl = 60, tags = [], skip(id,), singleflight(lease = "1s",),)]
async fn g(id: u32) -> u32 {
    id
}

fn main() {
    let _ = (f(1), g(1));
}
