//! A body that takes longer than leases and waits usually last.

use std::time::{Duration, Instant};

use crate::board::{Judged, many};
use crate::client::{Client, ask, ended};
use crate::source;

const CALLERS: usize = 10;

/// Callers in turn through each of the clients: several, where the library has flights across
/// clients.
pub async fn long_body(clients: &[impl Client]) -> Judged {
    source::takes(Duration::from_secs(12));
    let id = source::fresh_id();
    let began = Instant::now();
    let calls: Vec<_> = clients
        .iter()
        .cycle()
        .take(CALLERS)
        .map(|client| ask(client, id))
        .collect();
    let mut served = 0;
    for call in calls {
        served += usize::from(ended(call).await == Ok(1));
    }
    let runs = source::runs(id);
    Judged::new(
        runs == 1 && served == CALLERS,
        format!(
            "{} for {CALLERS} callers, {served} served, {:.1} s",
            many(runs, "run"),
            began.elapsed().as_secs_f64()
        ),
    )
}
