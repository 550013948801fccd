//! A call made after an acknowledged invalidation, while a body from before it still runs.

use std::time::Duration;

use crate::board::Judged;
use crate::client::{Invalidates, answer, ask, at_rest, change, ended};
use crate::source;

/// The call that comes while the body runs.
pub async fn old_flight(client: &impl Invalidates) -> Judged {
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
    let judged = match answer(client, id).await {
        Ok(2) => Judged::new(true, "the new value"),
        Ok(value) => Judged::wrong(format!("gets {value} after 2 was written")),
        Err(error) => Judged::wrong(error),
    };
    match ended(compute).await {
        Ok(_) => judged,
        Err(error) => Judged::wrong(error),
    }
}
