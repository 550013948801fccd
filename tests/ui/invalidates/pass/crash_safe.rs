//! Each form of `crash_safe`.

use afresh::invalidates;

struct DbError;

impl From<afresh::Error> for DbError {
    fn from(_: afresh::Error) -> Self {
        Self
    }
}

type Answer<T> = Result<T, DbError>;

#[invalidates(tags = ["books"], crash_safe)]
async fn flag(id: u32) -> u32 {
    id
}

#[invalidates(tags = ["books"], crash_safe())]
async fn empty(id: u32) -> u32 {
    id
}

#[invalidates(tags = ["books"], crash_safe(deadline = "1m30s"), when = always)]
async fn deadline(id: u32) -> Result<u32, String> {
    Ok(id)
}

#[invalidates(tags = ["books"], crash_safe(required))]
async fn required(id: u32) -> Result<u32, DbError> {
    Ok(id)
}

#[invalidates(
    namespaces = ["books"],
    result_tags = |id| ["book:{id}"],
    crash_safe(required, deadline = "1h"),
)]
async fn all(id: u32) -> Answer<u32> {
    Ok(id)
}

fn main() {
    let _ = (flag(1), empty(1), deadline(1), required(1), all(1));
}
