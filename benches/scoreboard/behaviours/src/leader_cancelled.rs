//! The caller that computes is cancelled while others wait for what it computes.

use std::time::{Duration, Instant};

use crate::board::{Judged, many};
use crate::client::{Client, ask, ended};
use crate::source;

/// What the others have for it: the body's second, and as much again for each of a few runs.
const PATIENCE: Duration = Duration::from_secs(5);

/// One waits through the client of the cancelled caller, one through the last client.
pub async fn leader_cancelled(clients: &[impl Client]) -> Judged {
    source::takes(Duration::from_secs(1));
    let id = source::fresh_id();
    let (first, last) = (&clients[0], &clients[clients.len() - 1]);
    let leader = ask(first, id);
    source::begun(id).await;
    let waiters = [ask(first, id), ask(last, id)];
    // Time for them to begin to wait.
    tokio::time::sleep(Duration::from_millis(300)).await;
    leader.abort();
    let cancelled = Instant::now();
    for waiter in waiters {
        match tokio::time::timeout(PATIENCE, ended(waiter)).await {
            Ok(Ok(1)) => {}
            Ok(outcome) => return Judged::wrong(format!("a waiter gets {outcome:?}")),
            Err(_) => return Judged::wrong(format!("a waiter has nothing after {PATIENCE:?}")),
        }
    }
    Judged::new(
        true,
        format!(
            "waiters have it after {:.1} s, {} of 1 s",
            cancelled.elapsed().as_secs_f64(),
            many(source::runs(id), "run")
        ),
    )
}
