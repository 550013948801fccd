//! A cache in a static that is made when it is first used.

use std::sync::LazyLock;

use afresh::{Cache, cached};

static CACHE: LazyLock<Cache> = LazyLock::new(Cache::in_memory);

#[cached(ttl = 60, cache = CACHE)]
async fn f(id: u32) -> u32 {
    id
}

fn main() {
    let _ = f(1);
}
