//! A future by another name, alone and in a `Result`.

use afresh::cached;

type Loading = std::future::Ready<u32>;

#[cached(ttl = 60)]
fn book(id: u32) -> Loading {
    std::future::ready(id)
}

#[cached(ttl = 60)]
fn page(id: u32) -> Result<Loading, String> {
    Ok(std::future::ready(id))
}

fn main() {
    let _ = (book(1), page(1));
}
