//! The body of a plain function gives something else than it says.

use afresh::invalidates;

#[invalidates(tags = ["books"])]
fn f(id: u32) -> Result<(), String> {
    id
}

fn main() {
    let _ = f(1);
}
