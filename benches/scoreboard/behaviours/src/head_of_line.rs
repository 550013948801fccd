//! Hits, while another key computes.

use std::time::{Duration, Instant};

use crate::board::Judged;
use crate::client::{Client, answer, ask, ended};
use crate::source;

const WARM: usize = 1000;
/// A quarter of what the other key takes: no hit takes that by itself, on the busiest machine.
const SLOW: Duration = Duration::from_millis(500);

/// All of the hits at once.
pub async fn head_of_line(client: &impl Client) -> Judged {
    let mut warm = Vec::with_capacity(WARM);
    for _ in 0..WARM {
        let id = source::fresh_id();
        if let Err(error) = answer(client, id).await {
            return Judged::wrong(error);
        }
        warm.push(id);
    }
    let cold = source::fresh_id();
    source::takes(Duration::from_secs(2));
    let compute = ask(client, cold);
    source::begun(cold).await;
    source::takes(Duration::ZERO);
    let timed = warm.into_iter().map(|id| {
        let client = client.clone();
        tokio::spawn(async move {
            let began = Instant::now();
            let outcome = client.read(id).await;
            (outcome, began.elapsed())
        })
    });
    let mut waits = Vec::with_capacity(WARM);
    for call in timed.collect::<Vec<_>>() {
        match call.await {
            Ok((Ok(_), wait)) => waits.push(wait),
            Ok((Err(error), _)) => return Judged::wrong(error),
            Err(error) => return Judged::wrong(error.to_string()),
        }
    }
    if let Err(error) = ended(compute).await {
        return Judged::wrong(error);
    }
    let slow = waits.iter().filter(|wait| **wait >= SLOW).count();
    let longest = waits.iter().max().map_or(0, Duration::as_millis);
    Judged::new(
        slow == 0,
        format!("{slow} of {WARM} hits wait, the longest {longest} ms"),
    )
}
