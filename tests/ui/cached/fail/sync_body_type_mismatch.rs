//! The body of a plain function gives something else than it says.

use afresh::cached;

#[cached(ttl = 60)]
fn f(id: u32) -> u32 {
    let name = id.to_string();
    name
}

fn main() {
    let _ = f(1);
}
