//! One call after the other.

use crate::board::{Judged, many};
use crate::client::{Client, answer};
use crate::source;

const CALLS: usize = 10;

/// So many through each of the clients.
pub async fn sequential_hits(clients: &[impl Client]) -> Judged {
    let id = source::fresh_id();
    for client in clients {
        for _ in 0..CALLS {
            if let Err(error) = answer(client, id).await {
                return Judged::wrong(error);
            }
        }
    }
    let (runs, calls) = (source::runs(id), CALLS * clients.len());
    Judged::new(
        runs == 1,
        format!("{} for {calls} calls", many(runs, "run")),
    )
}
