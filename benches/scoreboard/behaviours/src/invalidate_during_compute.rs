//! A change, and its invalidation, while the old value is being computed.

use std::time::Duration;

use crate::board::Judged;
use crate::client::{Invalidates, answer, ask, at_rest, change, ended};
use crate::source;

/// The next call after the body has ended.
pub async fn invalidate_during_compute(client: &impl Invalidates) -> Judged {
    if let Err(error) = at_rest(client).await {
        return Judged::wrong(error);
    }
    source::takes(Duration::from_secs(1));
    let id = source::fresh_id();
    let compute = ask(client, id);
    source::begun(id).await;
    if let Err(error) = change(client, id).await {
        return Judged::wrong(error);
    }
    if let Err(error) = ended(compute).await {
        return Judged::wrong(error);
    }
    match answer(client, id).await {
        Ok(2) => Judged::new(true, "the new value"),
        Ok(value) => Judged::wrong(format!("still {value} after 2 was written")),
        Err(error) => Judged::wrong(error),
    }
}
