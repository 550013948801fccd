//! A `Result` whose value borrows; its error may.

use afresh::cached;

#[cached(ttl = 60)]
async fn f<'a>(names: &'a [String]) -> Result<&'a [String], &'a str> {
    Ok(names)
}

fn main() {
    let _ = f(&[]);
}
