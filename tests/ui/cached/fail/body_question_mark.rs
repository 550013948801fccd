//! `?` on another error: the error is at the `?`.

use afresh::cached;

#[cached(ttl = 60)]
async fn f(text: &str) -> Result<u32, String> {
    let id: u32 = text.parse()?;
    Ok(id)
}

fn main() {
    let _ = f("1");
}
