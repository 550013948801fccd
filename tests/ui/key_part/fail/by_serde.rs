//! What `by_serde` takes is `Serialize`.

use afresh::{by_serde, cached};

struct Filter;

#[cached(key = by_serde(&filter))]
async fn f(filter: Filter) -> u32 {
    let _ = filter;
    1
}

fn main() {}
