//! Running errands: leases to be freed, entries to be removed. When, and what is left of them, is not
//! decided here.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use redis::{Cmd, Pipeline, Value};

use super::backlog::Errand;
use super::cluster::slot_of;
use super::link::{Connection, Link};
use super::scripts::Script;
use crate::clock::Millis;
use crate::error::Error;

/// How long the reason of a failed compute is left to those who waited for it.
const FAILURE_LASTS: Duration = Duration::from_secs(1);

/// Runs errands, all of a connection in one round trip. None is tried twice: leases end by
/// themselves, and an unreadable entry is replaced by the next commit. One that the server refuses is
/// counted, and stops no other. The answer is of the first connection that failed, where one did.
pub(super) async fn run(link: &Link, connection: &Connection) -> Result<(), Error> {
    let errands = link.backlog.take_errands();
    if errands.is_empty() {
        return Ok(());
    }
    let mut by_lane: BTreeMap<usize, Pipeline> = BTreeMap::new();
    for errand in &errands {
        let commands = by_lane.entry(lane(connection, errand)).or_default();
        commands.ignore_errors();
        commands.add_command(errand_command(connection, errand));
    }
    let requests = by_lane
        .iter()
        .map(|(&lane, commands)| link.request_all::<Vec<Value>>(connection, lane, commands));
    let answers = join_all(requests).await;
    link.backlog.errands_run();
    let mut outcome = Ok(());
    for answers in answers {
        match answers {
            Ok(answers) => {
                for answer in answers {
                    if matches!(answer, Value::ServerError(_)) {
                        link.reporter.counters.store_errors.add();
                    }
                }
            }
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    Ok(outcome?)
}

/// A lease is freed by the connection that it was bid for on: after the bid, should that still be on
/// its way.
fn lane(connection: &Connection, errand: &Errand) -> usize {
    match errand {
        Errand::Release { slot, .. } => connection.of(slot_of(&slot.entry)),
        Errand::Discard { .. } => 0,
    }
}

fn errand_command(connection: &Connection, errand: &Errand) -> Cmd {
    match errand {
        Errand::Release {
            slot,
            token,
            failure,
        } => {
            let lasts: Millis = crate::clock::millis(FAILURE_LASTS);
            let mut release = connection.scripts.call(Script::Release, &[&slot.lease()]);
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
