//! An error that does not convert, in a plain function.

use afresh::cached;

struct Failed;

#[cached(ttl = 60)]
fn f(text: &str) -> Result<u32, Failed> {
    let id: u32 = text.parse()?;
    Ok(id)
}

fn main() {
    let _ = f("1");
}
