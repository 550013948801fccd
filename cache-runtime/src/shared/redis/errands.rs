//! Running errands: leases to be freed, entries to be removed. When, and what is left of them, is not
//! decided here.

use std::time::Duration;

use redis::{Cmd, Value, pipe};

use super::backlog::Errand;
use super::link::{Connection, Link};
use super::scripts::Script;
use crate::clock::Millis;
use crate::error::Error;

/// How long the reason of a failed compute is left to those who waited for it.
const FAILURE_LASTS: Duration = Duration::from_secs(1);

/// Runs errands, all in one round trip. None is tried twice: leases end by themselves, and an
/// unreadable entry is replaced by the next commit. One that the server refuses is counted, and
/// stops no other.
pub(super) async fn run(link: &Link, connection: &Connection) -> Result<(), Error> {
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
    link.backlog.errands_run();
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
