//! The one task behind a connection: it attaches and reattaches, catches up with the log when a
//! note arrives, keeps the heartbeat, and works off debts and errands. No caller's future carries
//! any of this, so that a caller that is parked holds up nobody.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value, pipe};
use tokio::runtime::Handle;

use super::attach::attach;
use super::backlog::Errand;
use super::link::{Caught, Connection, Link, TRUST};
use super::scripts::Script;
use super::{follow, reply};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
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
/// What a rescue of this many passes has not brought up to date, a fresh connection will.
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
        bear(catch_up(link, connection).await)?;
        bear(run_errands(link, connection).await)?;
        settle_debts(link, connection).await;
        if link.is_closed() {
            return Ok(());
        }
        let now = link.clock.now();
        if now >= beat {
            let answered = heartbeat(link, connection).await;
            *proven |= answered.is_ok();
            bear(answered)?;
            beat = now + crate::clock::millis(HEARTBEAT);
        }
        let idle = Duration::from_millis(beat.saturating_sub(link.clock.now()).max(1));
        // Debts are tried again soon, whatever the heartbeat does.
        let idle = if link.backlog.has_debts() {
            idle.min(FIRST_RETRY)
        } else {
            idle
        };
        if link.notes() == link.caught.borrow().notes {
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
    let mut joined = true;
    for _ in 0..CATCH_UP_PASSES {
        let notes = link.notes();
        let caught = *link.caught.borrow();
        if caught.generation == connection.generation && caught.notes >= notes {
            return Ok(());
        }
        joined = follow::pass(link, connection).await?;
        if joined {
            link.caught.send_replace(Caught {
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

/// Says that this process lives, and learns that the server does. An answer proves that no note
/// was held back.
async fn heartbeat(link: &Link, connection: &Connection) -> Result<(), Error> {
    let mut commands = pipe();
    follow::state_of_log(&mut commands, &link.config.names);
    commands.cmd("TIME");
    let (sent, sent_at) = (link.clock.instant(), link.clock.unadvanced());
    let (log, time): (Value, (u64, u64)) = link.request_all(connection, &commands).await?;
    link.set_time(sent_at, time.0 * 1_000 + time.1 / 1_000);
    let seen = link.view.identity();
    let unmoved = reply::log(&log).is_some_and(|log| {
        seen.is_some_and(|(id, position)| log.id == id && log.head == position.head)
    });
    if unmoved {
        follow::trust(link, connection, sent);
    } else {
        // A note on its way, or one that never came; or records that the server has lost.
        link.note();
        catch_up(link, connection).await?;
    }
    Ok(())
}

/// Appends what is owed. What cannot be appended stays owed.
async fn settle_debts(link: &Arc<Link>, connection: &Connection) {
    let debts = link.backlog.send_debts();
    if debts.is_empty() {
        return;
    }
    let distinct: HashSet<TagHash> = debts.iter().flatten().copied().collect();
    let distinct: Vec<TagHash> = distinct.into_iter().collect();
    let mut newest = 0;
    for tags in distinct.chunks(TAGS_PER_RECORD) {
        match super::append(link, connection, tags, None).await {
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
    link.backlog.debts_paid();
    for tags in &debts {
        link.view.settle(tags, newest);
        link.reporter.counters.invalidations.add();
    }
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
    let answers: Vec<Value> = link.request_all(connection, &commands).await?;
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
