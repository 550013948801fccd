//! Following the log: finding it, reading what has been added, and how long to believe what was
//! read. When to do so is the driver's, and an attach's.

use futures_util::future::try_join_all;
use redis::{Cmd, Pipeline, Value, cmd, pipe};

use super::config::Names;
use super::lanes::Caught;
use super::link::{Connection, Link, TRUST};
use super::reply;
use super::scripts::Script;
use super::write;
use crate::clock::Instant;
use crate::error::{Error, ErrorKind};
use crate::log::{CaughtUp, Position};

/// Records read at once. A view that is further behind starts anew at the head: asking about some
/// tags is cheaper than reading everything that happened meanwhile.
const AT_ONCE: usize = 1_024;

/// What this many passes have not brought up to date, a fresh connection will.
const PASSES: usize = 8;

/// Covers every note delivered so far. In a log that moves as fast as it can be read, it stops
/// after a while, so that the rest of the work gets its turn; what is left is covered next.
pub(super) async fn catch_up(link: &Link, connection: &Connection) -> Result<(), Error> {
    let lanes = (0..connection.lanes.len()).map(|lane| catch_lane_up(link, connection, lane));
    try_join_all(lanes).await.map(|_| ())
}

/// In a quiet log, one pass; or two, where the first finds a gap and begins at the head.
async fn catch_lane_up(link: &Link, connection: &Connection, at: usize) -> Result<(), Error> {
    let lane = &link.lanes[at];
    let mut joined = true;
    for _ in 0..PASSES {
        if lane.is_caught_up(connection.generation) {
            return Ok(());
        }
        let notes = lane.notes();
        joined = pass(link, connection, at).await?;
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

/// Finds the log, or begins one, and has the view follow it. A write in any case: refused by a
/// replica.
pub(super) async fn begin(link: &Link, connection: &Connection) -> Result<(), Error> {
    let attach = write::call(link, connection, Script::Attach)?;
    let found: Value = link.request(connection, 0, &attach).await?;
    let (log, marks) = reply::found(&found)
        .ok_or_else(|| Error::new(ErrorKind::Store, "the log's metadata cannot be read"))?;
    link.view.follow(log.id, log.head, log.floor, &marks);
    take_debts_over(link);
    Ok(())
}

/// After whatever may have had the view follow another log: what the ones before have acknowledged
/// to this process is to be appended there too. A primary that was replaced unawares may have gone
/// on acknowledging, and what the others have computed since knows nothing of that.
fn take_debts_over(link: &Link) {
    let tags = link.view.take_repeats();
    if !tags.is_empty() {
        tracing::info!(target: "afresh", tags = tags.len(), "another log is followed: what those before have acknowledged is invalidated there too");
        link.backlog.add_repeats(tags);
    }
}

/// One catch-up: reads the records from the last known one on, inclusive, and arms the tracking
/// again; with a small write, because a server that may not write any more proves nothing. Returns
/// whether the view could go on from what it knew. Where it could not, it now stands at the head
/// that was read, and one more pass joins it up with what came since.
async fn pass(link: &Link, connection: &Connection, lane: usize) -> Result<bool, Error> {
    let names = &link.config.names;
    let Some((_, Position { head: from, .. })) = link.view.identity() else {
        // This view follows no log: find it, or begin one.
        begin(link, connection).await?;
        return Ok(false);
    };
    if link.lanes[lane].take_skip() {
        start_anew(link, connection, lane).await?;
        return Ok(false);
    }
    let mut commands = pipe();
    state_of_log(&mut commands, names);
    if connection.tracked {
        commands.cmd("CLIENT").arg("CACHING").arg("YES").ignore();
    }
    commands
        .cmd("XRANGE")
        .arg(&names.records)
        .arg(format!("{from}-0"))
        .arg("+")
        .arg("COUNT")
        .arg(AT_ONCE);
    let sent = link.clock.instant();
    let read = link.request_all(connection, lane, &commands).await;
    let (log, records): (Value, Value) = read.inspect_err(|failed| {
        if failed.error.kind() == ErrorKind::Timeout {
            // Should it be too much to be read in time, it would be so again.
            link.lanes[lane].skip();
        }
    })?;
    let Some(log) = reply::log(&log) else {
        // The log's metadata is gone: another log begins, here or wherever is faster.
        begin(link, connection).await?;
        return Ok(false);
    };
    let Some(records) = reply::records(&records, &log.id) else {
        // Another log began between the two commands: its metadata tell, the next time.
        return Ok(false);
    };
    if records.is_empty() && log.head == from {
        // No known record says that this was still the log when the records were read: what has
        // been added since the head was read may be gone with them. Only the state as it is now
        // tells, with the tracking armed.
        let state: Value = link.request(connection, lane, &log_as_it_is(names)).await?;
        if reply::log(&state) != Some(log) {
            return Ok(false);
        }
    }
    let mut caught = CaughtUp {
        id: log.id,
        head: log.head,
        floor: log.floor,
        records,
        marks: None,
    };
    if !link.view.can_go_on(from, &caught) {
        // Read after the head: what has been placed by then is here, and what comes later is a
        // record above the head.
        let mut marks = cmd("HGETALL");
        marks.arg(&names.marks);
        let marks: Value = link.request(connection, lane, &marks).await?;
        caught.marks = reply::marks(&marks);
    }
    if !link.is_current(connection.generation) {
        return Err(Error::new(ErrorKind::Store, "the connection was replaced"));
    }
    let joined = link.view.catch_up(from, &caught);
    take_debts_over(link);
    if joined {
        trust(link, connection, sent);
    }
    Ok(joined)
}

/// Has the view begin at the log's head: what is between here and there is not read.
async fn start_anew(link: &Link, connection: &Connection, lane: usize) -> Result<(), Error> {
    let names = &link.config.names;
    let mut commands = pipe();
    state_of_log(&mut commands, names);
    commands.cmd("HGETALL").arg(&names.marks);
    let (log, marks): (Value, Value) = link.request_all(connection, lane, &commands).await?;
    let Some(log) = reply::log(&log) else {
        return begin(link, connection).await;
    };
    if !link.is_current(connection.generation) {
        return Err(Error::new(ErrorKind::Store, "the connection was replaced"));
    }
    let caught = CaughtUp {
        id: log.id,
        head: log.head,
        floor: log.floor,
        records: Vec::new(),
        marks: reply::marks(&marks),
    };
    // From nowhere: nothing joins up with that.
    link.view.catch_up(u64::MAX, &caught);
    take_debts_over(link);
    Ok(())
}

/// A small write that changes nothing, and the log's id, head, floor and time of rotation. A
/// replica, or a primary that may not write any more, refuses it.
pub(super) fn state_of_log(commands: &mut Pipeline, names: &Names) {
    commands.cmd("HDEL").arg(&names.meta).arg("beat").ignore();
    commands.add_command(log_as_it_is(names));
}

/// The log's state alone.
pub(super) fn log_as_it_is(names: &Names) -> Cmd {
    let mut state = cmd("HMGET");
    state.arg(&names.meta).arg(&["id", "head", "floor", "due"]);
    state
}

/// The connection was alive when this was sent: the view may be believed for a while.
pub(super) fn trust(link: &Link, connection: &Connection, sent: Instant) {
    if connection.tracked {
        link.view.trust_until(Instant {
            monotonic: sent.monotonic + TRUST,
            wall: sent.wall + TRUST,
        });
    }
}
