//! `required` needs an error that ours can become.

use afresh::invalidates;

struct DbError;

#[invalidates(tags = ["books"], crash_safe(required))]
async fn f(id: u32) -> Result<u32, DbError> {
    Ok(id)
}

#[invalidates(tags = ["books"], crash_safe(deadline = "10s", required))]
async fn g(id: u32) -> u32 {
    id
}

fn main() {
    let _ = (f(1), g(1));
}
