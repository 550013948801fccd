//! Many callers of one key, whose body fails.

use std::time::{Duration, Instant};

use crate::board::{Judged, many};
use crate::client::{Client, ask, ended};
use crate::source;

const CALLERS: usize = 10;

/// Callers in turn through each of the clients: several, where the library has flights across
/// clients.
pub async fn failing_stampede(clients: &[impl Client]) -> Judged {
    source::takes(Duration::from_millis(500));
    source::fails();
    let id = source::fresh_id();
    let began = Instant::now();
    let calls: Vec<_> = clients
        .iter()
        .cycle()
        .take(CALLERS)
        .map(|client| ask(client, id))
        .collect();
    let mut told = 0;
    for call in calls {
        let outcome = ended(call).await;
        told += usize::from(outcome.is_err_and(|error| error.contains(source::FAILED)));
    }
    let runs = source::runs(id);
    Judged::new(
        runs == 1 && told == CALLERS,
        format!(
            "{} for {CALLERS} callers, {told} got the error, {:.1} s",
            many(runs, "run"),
            began.elapsed().as_secs_f64()
        ),
    )
}
