//! `?` on an error that cannot become the function's: the mistake is at the `?`.

use afresh::cached;

struct Failed;

impl From<std::fmt::Error> for Failed {
    fn from(_: std::fmt::Error) -> Self {
        Self
    }
}

#[cached(ttl = 60)]
async fn f(text: &str) -> Result<u32, Failed> {
    let id: u32 = text.parse()?;
    Ok(id)
}

fn main() {
    let _ = f("1");
}
