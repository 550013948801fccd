//! The one task behind a link: it attaches and reattaches, catches up with the log when a note
//! arrives, answers barriers, keeps the heartbeat, renews marks, rotates the log, and works off
//! debts and errands. No caller's future carries any of this, so that a caller that is parked
//! holds up nobody.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::{Value, cmd, pipe};
use tokio::runtime::Handle;

use super::attach::attach;
use super::backlog::Debt;
use super::lanes::Lane;
use super::link::{Connection, Link, TRUST};
use super::{errands, follow, reply, write};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::log::MarkId;
use crate::observe::Event;
use crate::tag::TagHash;
use crate::timer;

/// Half of the trust: one heartbeat may get lost.
const HEARTBEAT: Duration = Duration::from_millis(TRUST / 2);
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(1);
/// As many tags as go into one record when debts are worked off.
const TAGS_PER_RECORD: usize = 4_096;
/// As many marks as are ended in one round trip.
const MARKS_AT_ONCE: usize = 64;

/// Being the driver. Dropped when the task ends, also with its runtime.
#[derive(Debug)]
struct Driving(Arc<Link>);

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.not_driven();
    }
}

/// Starts the driver of a link.
pub(super) fn start(runtime: &Handle, link: Arc<Link>) {
    runtime.spawn(run(Driving(link)));
}

/// Runs until the cache is dropped, or there is nothing left to connect to.
async fn run(driving: Driving) {
    let link = &driving.0;
    let mut retry = FIRST_RETRY;
    let mut told = HashSet::new();
    while !link.is_closed() {
        match attach(link).await {
            Ok(connection) => {
                told.clear();
                let mut proven = false;
                if let Err(error) = keep(link, &connection, &mut proven).await {
                    link.reporter
                        .fault("keeping the connection to the shared store", &error);
                }
                link.lose(connection.generation);
                if proven {
                    // It could be made and kept: tried again soon, though not by all at once.
                    retry = FIRST_RETRY / 2;
                }
            }
            Err(error) => {
                link.not_reached();
                report(link, &error, &mut told);
            }
        }
        link.endpoint.look_around().await;
        if !link.endpoint.is_in_use() {
            return;
        }
        wait_to_retry(link, retry).await;
        retry = (retry * 2).clamp(FIRST_RETRY, LAST_RETRY);
    }
    let owed = link.view.owed();
    if link.endpoint.has_the_log() && owed > 0 {
        let error = Error::new(
            ErrorKind::Store,
            format!("invalidations of {owed} tags are given up, still owed to the log"),
        );
        link.reporter
            .misuse("a cache ends that still owes invalidations", &error);
    }
}

/// Says each thing once per outage; a set-up that cannot work is said loudly.
fn report(link: &Link, error: &Error, told: &mut HashSet<String>) {
    if told.insert(error.to_string()) {
        if error.kind() == ErrorKind::Config {
            link.reporter
                .misuse("the shared store cannot be used; calls compute", error);
        } else {
            link.reporter.fault("connecting to the shared store", error);
        }
    }
}

/// Waits, unless the cache is dropped meanwhile. Half of the wait is random, so that a fleet does not
/// come back at once.
async fn wait_to_retry(link: &Link, wait: Duration) {
    let mut random = [0];
    // Without randomness the wait is merely regular.
    let _ = getrandom::fill(&mut random);
    let wait = wait.saturating_sub(wait / 2 * u32::from(random[0]) / 255);
    let until = link.clock.now() + crate::clock::millis(wait);
    loop {
        let left = until.saturating_sub(link.clock.now());
        if left == 0 || link.is_closed() {
            return;
        }
        if timer::timeout(Duration::from_millis(left), link.work.notified())
            .await
            .is_none()
        {
            return;
        }
    }
}

/// Serves one connection until it is lost (an error) or the cache is dropped. It is `proven` once
/// a heartbeat has been answered.
async fn keep(link: &Arc<Link>, connection: &Connection, proven: &mut bool) -> Result<(), Error> {
    let mut beat = link.clock.now();
    let mut debts = Retry::default();
    loop {
        if !link.is_current(connection.generation) || link.connection().is_none() {
            return Err(Error::new(ErrorKind::Store, "the connection was lost"));
        }
        // What is taken on before the end is done before the end: it is looked for first.
        let is_last = link.is_closed();
        if link.endpoint.has_the_log() {
            bear(follow::catch_up(link, connection).await)?;
            bear(answer_barriers(link, connection).await)?;
        }
        bear(errands::run(link, connection).await)?;
        if link.endpoint.has_the_log() {
            if is_last || debts.is_due(link.clock.now()) {
                let paid = settle_debts(link, connection).await;
                debts.ended(link.clock.now(), paid);
            }
            renew_marks(link, connection).await;
        }
        if is_last && !link.backlog.has_errands() {
            return Ok(());
        }
        let now = link.clock.now();
        if now >= beat {
            let answered = if link.endpoint.has_the_log() {
                heartbeat(link, connection).await
            } else {
                ping(link, connection).await
            };
            *proven |= answered.is_ok();
            bear(answered)?;
            beat = now + crate::clock::millis(HEARTBEAT);
        }
        let mut next = beat;
        if let Some(mark) = link.backlog.next_mark() {
            next = next.min(mark);
        }
        if link.backlog.has_debts() {
            next = next.min(debts.due);
        }
        let idle = Duration::from_millis(next.saturating_sub(link.clock.now()).max(1));
        let caught_up = |lane: &Lane| lane.is_caught_up(connection.generation);
        let is_quiet = !link.endpoint.has_the_log()
            || (link.lanes.iter().all(caught_up) && !link.barriers.are_waited_for());
        if is_quiet && !link.is_closed() && !link.backlog.has_errands() {
            let _ = timer::timeout(idle, link.work.notified()).await;
        }
    }
}

/// When something that failed is tried again.
#[derive(Debug, Default)]
struct Retry {
    due: Millis,
    wait: Millis,
}

impl Retry {
    fn is_due(&self, now: Millis) -> bool {
        now >= self.due
    }

    fn ended(&mut self, now: Millis, well: bool) {
        if well {
            *self = Self::default();
        } else {
            let (first, last) = (FIRST_RETRY, LAST_RETRY);
            let (first, last) = (crate::clock::millis(first), crate::clock::millis(last));
            self.wait = (self.wait * 2).clamp(first, last);
            self.due = now + self.wait;
        }
    }
}

/// One late answer is not the end of a connection: so many in a row are, and are counted where
/// requests are made.
fn bear(answer: Result<(), Error>) -> Result<(), Error> {
    match answer {
        Err(error) if error.kind() == ErrorKind::Timeout => Ok(()),
        answer => answer,
    }
}

/// What one reading of the log's state says of the view.
enum Reading {
    /// The view has everything up to the moment of the answer.
    Unmoved,
    /// Something is on its way, or lost.
    Moved,
}

/// Judges the log's state, as it was answered on this lane. A log that has moved has been noted by
/// then: notes and replies come in order.
fn reading(
    link: &Link,
    connection: &Connection,
    lane: usize,
    state: &Value,
) -> Result<Reading, Error> {
    let is_caught_up = link.lanes[lane].is_caught_up(connection.generation);
    let (Some(log), Some((id, at))) = (reply::log(state), link.view.identity()) else {
        return Ok(Reading::Moved);
    };
    if log.id == id && log.head == at.head {
        return Ok(Reading::Unmoved);
    }
    if connection.tracked && is_caught_up && log.id == id && log.head > at.head {
        // What is behind the connection is another server than the one that was told to send notes.
        return Err(Error::new(
            ErrorKind::Store,
            "the log has moved and the server has sent no note",
        ));
    }
    Ok(Reading::Moved)
}

/// Says to all who asked until now that the view has what the log had then. One small write, sent
/// after they asked, serves all of them; those who ask meanwhile are served by the next one.
async fn answer_barriers(link: &Link, connection: &Connection) -> Result<(), Error> {
    if !link.barriers.are_waited_for() {
        return Ok(());
    }
    let asked = link.barriers.asked();
    let proven = prove(link, connection).await;
    link.barriers.answer(asked, proven.is_ok());
    proven
}

async fn prove(link: &Link, connection: &Connection) -> Result<(), Error> {
    let mut commands = pipe();
    follow::state_of_log(&mut commands, &link.config.names);
    let sent = link.clock.instant();
    let (state,): (Value,) = link.request_all(connection, 0, &commands).await?;
    match reading(link, connection, 0, &state)? {
        Reading::Unmoved => {
            follow::trust(link, connection, sent);
            Ok(())
        }
        Reading::Moved => {
            link.note(0);
            // In a log that never rests there may be more by then; but what was there when the
            // state was read, the last pass has covered.
            follow::catch_up(link, connection).await
        }
    }
}

/// Says that this process lives, and learns that the server does. An answer proves that no note
/// was held back.
async fn heartbeat(link: &Arc<Link>, connection: &Connection) -> Result<(), Error> {
    let mut commands = pipe();
    follow::state_of_log(&mut commands, &link.config.names);
    commands.cmd("TIME");
    let (sent, sent_at) = (link.clock.instant(), link.clock.unadvanced());
    let (state, time): (Value, Value) = link.request_all(connection, 0, &commands).await?;
    let server_time = reply::time(&time).ok_or_else(|| write::garbled("the time"))?;
    link.set_time(sent_at, server_time);
    match reading(link, connection, 0, &state)? {
        Reading::Unmoved => follow::trust(link, connection, sent),
        Reading::Moved => link.note(0),
    }
    let others = (1..connection.lanes.len()).map(|lane| beat_beside(link, connection, lane));
    try_join_all(others).await?;
    follow::catch_up(link, connection).await?;
    if let Some(due) = reply::due(&state)
        && due <= server_time
        && let Err(error) = write::rotate(link, connection, due).await
    {
        failed(link, "rotating the log", &error);
    }
    let mut over = link.view.marks_over(link.server_now());
    over.truncate(MARKS_AT_ONCE);
    if !over.is_empty()
        && let Err(error) = write::expire(link, connection, &over).await
    {
        failed(link, "ending the marks of mutations that were lost", &error);
    }
    Ok(())
}

/// The heartbeat of a connection beside the first: that it still tells what happens.
async fn beat_beside(link: &Link, connection: &Connection, lane: usize) -> Result<(), Error> {
    let state = follow::log_as_it_is(&link.config.names);
    let state: Value = link.request(connection, lane, &state).await?;
    if let Reading::Moved = reading(link, connection, lane, &state)? {
        link.note(lane);
    }
    Ok(())
}

/// Something that the driver does by itself did not succeed. It is tried again.
fn failed(link: &Link, doing: &'static str, error: &Error) {
    link.reporter.counters.store_errors.add();
    link.reporter.fault(doing, error);
}

/// Keeps the marks of this process's own mutations standing. In a log that has begun meanwhile
/// they are not yet: there they are placed again, at once.
async fn renew_marks(link: &Link, connection: &Connection) {
    let log = link.view.identity().map(|(id, _)| id);
    let due = link.backlog.marks_due(link.clock.now(), log);
    if !due.is_empty()
        && let Err(error) = write::renew(link, connection, &due).await
    {
        failed(link, "renewing the marks of mutations", &error);
    }
}

/// Whether a node still answers, and has slots.
async fn ping(link: &Link, connection: &Connection) -> Result<(), Error> {
    link.request::<()>(connection, 0, &cmd("PING")).await?;
    link.endpoint.follow_moves().await;
    if link.endpoint.is_in_use() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Store,
        "this node of the cluster has no slots any more",
    ))
}

/// What is owed, in as few records as it fits into: the tags of each, and the marks that it ends. A
/// debt is never split: one record says all of it.
fn records(debts: &[Debt]) -> Vec<(Vec<TagHash>, Vec<MarkId>)> {
    let mut records = Vec::new();
    let mut tags: HashSet<TagHash> = HashSet::new();
    let mut ends = Vec::new();
    for debt in debts {
        if !tags.is_empty() && tags.len() + debt.tags.len() > TAGS_PER_RECORD {
            records.push((tags.drain().collect(), std::mem::take(&mut ends)));
        }
        tags.extend(&debt.tags);
        ends.extend(debt.ends);
    }
    if !tags.is_empty() {
        records.push((tags.into_iter().collect(), ends));
    }
    records
}

/// Appends what is owed. Returns whether nothing of it stays owed.
async fn settle_debts(link: &Arc<Link>, connection: &Connection) -> bool {
    let debts = link.backlog.send_debts();
    if debts.is_empty() {
        return true;
    }
    let mut newest = 0;
    for (tags, ends) in records(&debts) {
        match write::append(link, connection, &tags, &ends, None).await {
            Ok(appended) => newest = appended.map_or(newest, |appended| appended.version),
            Err(error) => {
                link.backlog.debts_unpaid();
                failed(link, "making an invalidation that is owed", &error);
                return false;
            }
        }
    }
    for debt in &debts {
        link.view.settle(&debt.tags, newest);
        if !debt.repeats {
            link.reporter.counters.invalidations.add();
        }
    }
    // Last: whoever waits for this reads what the view owes.
    link.backlog.debts_paid();
    if debts.iter().any(|debt| debt.repeats) {
        tracing::info!(target: "afresh", version = newest, "what another log had acknowledged is invalidated in this one too");
    }
    if debts.iter().any(|debt| !debt.repeats) {
        tracing::info!(target: "afresh", version = newest, "invalidations that were owed are acknowledged");
        link.reporter.tell(&Event::Settled { version: newest });
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_is_in_one_record_and_its_mark_ends_there() {
        let tag = |number: usize| TagHash::tag(&number.to_string());
        let debts: Vec<_> = (0..3 * TAGS_PER_RECORD)
            .map(|number| Debt {
                tags: vec![tag(2 * number), tag(2 * number + 1), TagHash::any()],
                ends: Some([number as u8; 16]),
                repeats: false,
            })
            .collect();
        let records = records(&debts);
        assert!(records.len() > 2 && records.len() < 10, "{}", records.len());
        let mut left = debts.iter();
        for (tags, ends) in &records {
            assert!(tags.len() <= TAGS_PER_RECORD);
            let tags: HashSet<_> = tags.iter().collect();
            for end in ends {
                let debt = left.next().expect("each once");
                assert_eq!(debt.ends, Some(*end));
                assert!(debt.tags.iter().all(|tag| tags.contains(tag)));
            }
        }
        assert!(left.next().is_none());
    }

    #[test]
    fn a_debt_that_is_too_large_to_share_a_record_has_its_own() {
        let tags: Vec<_> = (0..TAGS_PER_RECORD + 5)
            .map(|number| TagHash::tag(&number.to_string()))
            .collect();
        let debts = [tags.clone(), vec![TagHash::any()]].map(|tags| Debt {
            tags,
            ends: None,
            repeats: false,
        });
        let sizes: Vec<_> = records(&debts).iter().map(|(tags, _)| tags.len()).collect();
        assert_eq!(sizes, [tags.len(), 1]);
        assert_eq!(records(&[]), []);
    }
}
