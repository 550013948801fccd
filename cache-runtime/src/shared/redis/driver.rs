//! The one task behind a link: it attaches and reattaches, catches up with the log when a note
//! arrives, answers barriers, keeps the heartbeat, renews marks, rotates the log, and works off
//! debts and errands. No caller's future carries any of this, so that a caller that is parked
//! holds up nobody.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::{Cmd, Value, cmd, pipe};
use tokio::runtime::Handle;

use super::attach::attach;
use super::backlog::Errand;
use super::link::{Caught, Connection, Link, TRUST};
use super::scripts::Script;
use super::{follow, reply};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::log::{Mark, Marking, Record};
use crate::observe::Event;
use crate::tag::TagHash;
use crate::timer;

/// Half of the trust: one heartbeat may get lost.
const HEARTBEAT: Duration = Duration::from_millis(TRUST / 2);
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(1);
/// How long the reason of a failed compute is left to those who waited for it.
const FAILURE_LASTS: Duration = Duration::from_secs(1);
/// As many tags as go into one record when debts are worked off.
const TAGS_PER_RECORD: usize = 4_096;
/// What this many passes has not brought up to date, a fresh connection will.
const CATCH_UP_PASSES: usize = 8;

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

/// Runs until the cache is dropped.
async fn run(driving: Driving) {
    let link = &driving.0;
    let mut retry = FIRST_RETRY;
    let mut told = HashSet::new();
    while !link.is_closed() {
        match attach(link).await {
            Ok(connection) => {
                told.clear();
                let generation = connection.generation;
                let mut proven = false;
                if let Err(error) = keep(link, &connection, &mut proven).await {
                    link.reporter
                        .fault("keeping the connection to the shared store", &error);
                }
                link.lose(generation);
                if proven {
                    retry = FIRST_RETRY;
                    continue;
                }
                // It could be made, but not kept: not at the network's speed again and again.
            }
            Err(error) => {
                link.not_reached();
                report(link, &error, &mut told);
            }
        }
        link.endpoint.look_around().await;
        wait_to_retry(link, retry).await;
        retry = (retry * 2).min(LAST_RETRY);
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

/// Waits, unless the cache is dropped meanwhile. A quarter of the wait is random, so that a fleet
/// does not come back at once.
async fn wait_to_retry(link: &Link, wait: Duration) {
    let mut random = [0];
    // Without randomness the wait is merely regular.
    let _ = getrandom::fill(&mut random);
    let wait = wait.saturating_sub(wait / 4 * u32::from(random[0]) / 255);
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
    loop {
        if !link.is_current(connection.generation) || link.connection().is_none() {
            return Err(Error::new(ErrorKind::Store, "the connection was lost"));
        }
        if link.endpoint.has_the_log() {
            bear(catch_up(link, connection).await)?;
            bear(answer_barriers(link, connection).await)?;
        }
        bear(run_errands(link, connection).await)?;
        if link.endpoint.has_the_log() {
            settle_debts(link, connection).await;
            renew_marks(link, connection).await;
        }
        if link.is_closed() {
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
        let next = link.backlog.next_mark().map_or(beat, |mark| mark.min(beat));
        let idle = Duration::from_millis(next.saturating_sub(link.clock.now()).max(1));
        // Debts are tried again soon, whatever the heartbeat does.
        let idle = if link.backlog.has_debts() {
            idle.min(FIRST_RETRY)
        } else {
            idle
        };
        let caught_up = |lane: &super::link::Lane| lane.is_caught_up(connection.generation);
        let quiet = !link.endpoint.has_the_log()
            || (link.lanes.iter().all(caught_up) && !link.barriers.are_waited_for());
        if quiet {
            let _ = timer::timeout(idle, link.work.notified()).await;
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

/// Covers every note delivered so far. In a log that moves as fast as it can be read, it stops
/// after a while, so that the rest of the work gets its turn; what is left is covered next.
async fn catch_up(link: &Link, connection: &Connection) -> Result<(), Error> {
    let lanes = (0..connection.lanes.len()).map(|lane| catch_lane_up(link, connection, lane));
    try_join_all(lanes).await.map(|_| ())
}

async fn catch_lane_up(link: &Link, connection: &Connection, at: usize) -> Result<(), Error> {
    let lane = &link.lanes[at];
    let mut joined = true;
    for _ in 0..CATCH_UP_PASSES {
        if lane.is_caught_up(connection.generation) {
            return Ok(());
        }
        let notes = lane.notes();
        joined = follow::pass(link, connection, at).await?;
        if joined {
            lane.caught.send_replace(Caught {
                generation: connection.generation,
                notes,
            });
        }
    }
    if joined {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Store,
        "the log moves faster than it can be followed",
    ))
}

/// What one reading of the log's state has proven.
struct Reading {
    /// Whether the view has everything up to the moment of the answer.
    unmoved: bool,
    due: Option<Millis>,
}

/// Judges what the log's state says of the view.
fn reading(link: &Link, state: &Value) -> Reading {
    let seen = link.view.identity();
    let unmoved = reply::log(state).is_some_and(|log| {
        seen.is_some_and(|(id, position)| log.id == id && log.head == position.head)
    });
    Reading {
        unmoved,
        due: reply::due(state),
    }
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
    if reading(link, &state).unmoved {
        follow::trust(link, connection, sent);
        return Ok(());
    }
    // A note on its way, or one that never came; or records that the server has lost.
    link.note(0);
    // In a log that never rests there may be more by then; but what was there when the state was
    // read, the last pass has covered.
    catch_up(link, connection).await
}

/// Says that this process lives, and learns that the server does. An answer proves that no note
/// was held back.
async fn heartbeat(link: &Arc<Link>, connection: &Connection) -> Result<(), Error> {
    let mut commands = pipe();
    follow::state_of_log(&mut commands, &link.config.names);
    commands.cmd("TIME");
    let (sent, sent_at) = (link.clock.instant(), link.clock.unadvanced());
    let (state, time): (Value, (u64, u64)) = link.request_all(connection, 0, &commands).await?;
    let server_time = time.0 * 1_000 + time.1 / 1_000;
    link.set_time(sent_at, server_time);
    let reading = reading(link, &state);
    if reading.unmoved {
        follow::trust(link, connection, sent);
    } else {
        link.note(0);
        catch_up(link, connection).await?;
    }
    if let Some(due) = reading.due
        && due <= server_time
    {
        rotate(link, connection, due).await;
    }
    end_marks(link, connection).await;
    Ok(())
}

/// Whether a node still answers.
async fn ping(link: &Link, connection: &Connection) -> Result<(), Error> {
    link.request::<()>(connection, 0, &cmd("PING")).await?;
    Ok(())
}

/// Drops the older hash of tags. One process of all that try is the one that does.
async fn rotate(link: &Link, connection: &Connection, due: Millis) {
    let rotate = || -> Result<Cmd, Error> {
        let names = link.config.names.log();
        let mut rotate = follow::preamble(link, connection.scripts.call(Script::Rotate, &names))?;
        rotate.arg(due);
        Ok(rotate)
    };
    let rotated = match rotate() {
        Ok(rotate) => link.request::<Value>(connection, 0, &rotate).await,
        Err(error) => return link.reporter.fault("rotating the log", &error),
    };
    if let Err(failed) = rotated {
        link.reporter.counters.store_errors.add();
        link.reporter.fault("rotating the log", &failed.error);
    }
}

/// Ends the marks whose holders have not done so in time: whatever those did is invalidated.
async fn end_marks(link: &Link, connection: &Connection) {
    for mark in link.view.marks_over(link.server_now()) {
        if let Err(error) = end_mark(link, connection, &mark).await {
            link.reporter.counters.store_errors.add();
            link.reporter
                .fault("ending the mark of a mutation that was lost", &error);
            return;
        }
    }
}

async fn end_mark(link: &Link, connection: &Connection, mark: &Mark) -> Result<(), Error> {
    let names = link.config.names.log();
    let mut expire = follow::preamble(link, connection.scripts.call(Script::Expire, &names))?;
    expire.arg(&mark.id).arg(reply::pack(&mark.tags));
    let answer: Value = link.request(connection, 0, &expire).await?;
    if let Some([deadline]) = reply::array(&answer) {
        if let Some(deadline) = reply::number(deadline) {
            link.view.extend_mark(&mark.id, deadline);
        }
        return Ok(());
    }
    let log = reply::log(&answer).ok_or_else(|| super::garbled("the end of a mark"))?;
    let record = Record {
        version: log.head,
        tags: mark.tags.clone(),
        mark: Some(Marking::Ended(mark.id)),
    };
    link.view.confirm(&log.id, log.floor, &record);
    Ok(())
}

/// Keeps the marks of this process's own mutations standing. In a log that has begun meanwhile
/// they are not yet: there they are placed again, at once.
async fn renew_marks(link: &Link, connection: &Connection) {
    let log = link.view.identity().map(|(id, _)| id);
    for (id, kept) in link.backlog.marks_due(link.clock.now(), log) {
        if let Err(error) = super::mark(
            link,
            connection,
            id,
            &kept.tags,
            kept.lasts,
            kept.log.as_ref(),
        )
        .await
        {
            link.reporter.counters.store_errors.add();
            link.reporter
                .fault("renewing the mark of a mutation", &error);
        }
    }
}

/// Appends what is owed. What cannot be appended stays owed.
async fn settle_debts(link: &Arc<Link>, connection: &Connection) {
    let debts = link.backlog.send_debts();
    if debts.is_empty() {
        return;
    }
    let distinct: HashSet<TagHash> = debts.iter().flat_map(|debt| &debt.tags).copied().collect();
    let distinct: Vec<TagHash> = distinct.into_iter().collect();
    let marks = debts.iter().filter_map(|debt| debt.ends);
    // A mark ends in a record of its own, after those that have its tags.
    let records = distinct
        .chunks(TAGS_PER_RECORD)
        .map(|tags| (tags, None))
        .chain(marks.map(|mark| (&[][..], Some(mark))));
    let mut newest = 0;
    for (tags, ends) in records {
        match super::append(link, connection, tags, ends, None).await {
            Ok(appended) => newest = appended.map_or(newest, |appended| appended.version),
            Err(error) => {
                link.backlog.debts_unpaid();
                link.reporter.counters.store_errors.add();
                link.reporter
                    .fault("making an invalidation that is owed", &error);
                return;
            }
        }
    }
    for debt in &debts {
        link.view.settle(&debt.tags, newest);
        link.reporter.counters.invalidations.add();
    }
    // Last: whoever waits for this reads what the view owes.
    link.backlog.debts_paid();
    tracing::info!(target: "afresh", version = newest, "invalidations that were owed are acknowledged");
    link.reporter.tell(&Event::Settled { version: newest });
}

/// Runs all errands in one round trip. None is tried twice: leases end by themselves, and an
/// unreadable entry is replaced by the next commit. One that the server refuses is counted, and
/// stops no other.
async fn run_errands(link: &Link, connection: &Connection) -> Result<(), Error> {
    let errands = link.backlog.take_errands();
    if errands.is_empty() {
        return Ok(());
    }
    let mut commands = pipe();
    commands.ignore_errors();
    for errand in &errands {
        commands.add_command(errand_command(connection, errand));
    }
    let answers = link.request_all(connection, 0, &commands).await;
    link.backlog.worked_off();
    let answers: Vec<Value> = answers?;
    for answer in answers {
        if matches!(answer, Value::ServerError(_)) {
            link.reporter.counters.store_errors.add();
        }
    }
    Ok(())
}

fn errand_command(connection: &Connection, errand: &Errand) -> Cmd {
    match errand {
        Errand::Release {
            slot,
            token,
            failure,
        } => {
            let lasts: Millis = crate::clock::millis(FAILURE_LASTS);
            let mut release = connection.scripts.call(Script::Release, &[&slot.lease]);
            release
                .arg(&token.0)
                .arg(failure.as_deref().unwrap_or(""))
                .arg(lasts);
            release
        }
        Errand::Discard {
            slot,
            length,
            begins,
        } => {
            let mut discard = connection.scripts.call(Script::Discard, &[&slot.entry]);
            discard.arg(*length).arg(begins);
            discard
        }
    }
}
