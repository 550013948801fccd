//! The shared tier on one Redis or Valkey server: the operations as their callers await them.
//! The connection itself and all that goes on without a caller are the driver's.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use redis::{Value, cmd, pipe};
use tokio::sync::futures::OwnedNotified;

use super::{Appended, Bid, Bidden, Claim, Fill, Filled, Operation, Shared, Slot, Token};
use crate::clock::{Clock, Millis};
use crate::error::{Error, ErrorKind};
use crate::log::{Answer, LogId, Record, View};
use crate::observe::Reporter;
use crate::tag::TagHash;

mod attach;
mod backlog;
mod config;
mod driver;
mod follow;
mod link;
mod reply;
mod scripts;
mod watch;

use backlog::Errand;
pub(crate) use config::Config;
use link::{Connection, Link};
use scripts::Script;

/// How long a start-up waits for the first attempt to connect to end, one way or the other.
const FIRST_ATTACH: Duration = Duration::from_secs(3);

/// Two entries, or two pieces of rubbish, of one length do not begin with the same bytes.
const ENOUGH_TO_TELL: usize = 128;

/// A handle on the shared tier. When the last one is dropped, the connection ends.
#[derive(Debug)]
pub(crate) struct RedisShared {
    link: Arc<Link>,
}

impl RedisShared {
    /// Connects at the first use, or when [`reached`](Shared::reached) is called.
    pub(crate) fn new(
        config: Config,
        view: Arc<View>,
        clock: Arc<Clock>,
        reporter: Arc<Reporter>,
    ) -> Self {
        Self {
            link: Link::new(config, view, clock, reporter, driver::start),
        }
    }
}

impl Drop for RedisShared {
    fn drop(&mut self) {
        self.link.close();
    }
}

/// Sixteen random bytes for a log that may have to begin.
fn new_log_id() -> Result<LogId, Error> {
    Token::random().map(|token| token.0)
}

/// An answer that is not what the script returns.
fn garbled(what: &'static str) -> Error {
    Error::new(
        ErrorKind::Store,
        format!("the store answered {what} in a form it should not have"),
    )
}

/// Appends a record and applies it to the view, in this order, before anyone is told.
async fn append(
    link: &Link,
    connection: &Connection,
    tags: &[TagHash],
    claim: Option<&Claim>,
) -> Result<Option<Appended>, Error> {
    let mut command = connection
        .scripts
        .call(Script::Append, &link.config.names.log());
    command.arg(&new_log_id()?).arg(reply::pack(tags));
    if let Some(claim) = claim {
        command
            .arg(&claim.log)
            .arg(claim.head)
            .arg(reply::pack(&claim.tags));
    }
    let answer: Value = link.request(connection, &command).await?;
    if claim.is_some() && answer == Value::Nil {
        return Ok(None);
    }
    let log = reply::log(&answer).ok_or_else(|| garbled("an append"))?;
    let record = Record {
        version: log.head,
        tags: tags.to_vec(),
    };
    link.view.confirm(&log.id, log.floor, &record);
    Ok(Some(Appended {
        log: log.id,
        version: log.head,
    }))
}

impl Shared for RedisShared {
    fn is_away(&self) -> bool {
        self.link.is_away()
    }

    fn is_attached(&self) -> bool {
        self.link.connection().is_some()
    }

    fn is_tracked(&self) -> bool {
        self.link
            .connection()
            .is_some_and(|connection| connection.tracked)
    }

    fn now(&self) -> Millis {
        self.link.server_now()
    }

    fn summon(&self) {
        self.link.drive();
    }

    fn reached(&self) -> Operation<()> {
        let link = Arc::clone(&self.link);
        Box::pin(async move { link.connected_within(FIRST_ATTACH).await.map(|_| ()) })
    }

    fn slot(&self, subject: &str) -> Slot {
        self.link.config.names.slot(subject)
    }

    fn get(&self, slot: &Arc<Slot>) -> Operation<Option<Vec<u8>>> {
        let (link, slot) = (Arc::clone(&self.link), Arc::clone(slot));
        Box::pin(async move {
            let connection = link.connected().await?;
            let mut get = cmd("GET");
            get.arg(&slot.entry);
            let answer: Value = link.request(&connection, &get).await?;
            // Whatever was appended before the server read the entry has been noted by now.
            link.up_to_date(connection.generation).await?;
            match answer {
                Value::BulkString(bytes) => Ok(Some(bytes)),
                Value::Nil => Ok(None),
                _ => Err(garbled("a look-up")),
            }
        })
    }

    fn ask(&self, tags: Arc<[TagHash]>) -> Operation<Answer> {
        let link = Arc::clone(&self.link);
        Box::pin(async move {
            let connection = link.connected().await?;
            let names = &link.config.names;
            let keys: [&[u8]; 3] = [&names.meta, &names.tags[0], &names.tags[1]];
            let mut ask = connection.scripts.call(Script::Ask, &keys);
            ask.arg(reply::pack(&tags));
            let answer: Value = link.request(&connection, &ask).await?;
            if answer == Value::Nil {
                // The driver finds it missing too, and begins another.
                link.note();
                return Err(Error::new(ErrorKind::Store, "the log's metadata is gone"));
            }
            let answer = reply::answer(&answer, tags.len()).ok_or_else(|| garbled("an ask"))?;
            if connection.tracked && link.is_current(connection.generation) {
                link.view.learn(&tags, &answer);
            }
            Ok(answer)
        })
    }

    fn catch_up(&self) -> Operation<()> {
        let link = Arc::clone(&self.link);
        Box::pin(async move {
            let connection = link.connected().await?;
            link.note();
            link.up_to_date(connection.generation).await
        })
    }

    fn append(&self, tags: Vec<TagHash>, claim: Option<Claim>) -> Operation<Option<Appended>> {
        let link = Arc::clone(&self.link);
        Box::pin(async move {
            let connection = link.connected().await?;
            append(&link, &connection, &tags, claim.as_ref()).await
        })
    }

    fn owe(&self, tags: Vec<TagHash>) {
        self.link.owe(tags);
    }

    fn bid(&self, slot: &Arc<Slot>, bid: Bid) -> Operation<Bidden> {
        let (link, slot) = (Arc::clone(&self.link), Arc::clone(slot));
        Box::pin(async move {
            let connection = link.connected().await?;
            let token = |token: Option<Token>| token.map_or(Vec::new(), |token| token.0.to_vec());
            let mut call = connection
                .scripts
                .call(Script::Bid, &[&slot.entry, &slot.lease]);
            call.arg(&bid.token.0)
                .arg(&bid.log)
                .arg(bid.head)
                .arg(crate::clock::millis(bid.ttl).max(1))
                .arg(token(bid.waited))
                .arg(token(bid.supersede));
            let mut commands = pipe();
            if connection.tracked {
                // So that the lease's end, however it comes, is noted to this connection.
                commands.cmd("CLIENT").arg("CACHING").arg("YES").ignore();
            }
            commands.add_command(call);
            let (answer,): (Value,) = link.request_all(&connection, &commands).await?;
            link.up_to_date(connection.generation).await?;
            bidden(&answer).ok_or_else(|| garbled("a bid"))
        })
    }

    fn lease_change(&self, slot: &Arc<Slot>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let changed = self.link.leases.watch(&slot.lease).notified_owned();
        let mut changed = Box::pin(changed);
        changed.as_mut().enable();
        Box::pin(LeaseChange {
            link: Arc::clone(&self.link),
            slot: Arc::clone(slot),
            changed,
        })
    }

    fn renew(&self, slot: &Arc<Slot>, token: Token, ttl: Duration) -> Operation<bool> {
        let (link, slot) = (Arc::clone(&self.link), Arc::clone(slot));
        Box::pin(async move {
            let connection = link.connected().await?;
            let mut renew = connection.scripts.call(Script::Renew, &[&slot.lease]);
            renew.arg(&token.0).arg(crate::clock::millis(ttl).max(1));
            let renewed = link.request(&connection, &renew).await;
            if let Err(error) = &renewed {
                link.reporter.counters.store_errors.add();
                link.reporter.fault("renewing a lease", error);
            }
            renewed
        })
    }

    fn fill(&self, slot: &Arc<Slot>, fill: Fill) -> Operation<Filled> {
        let (link, slot) = (Arc::clone(&self.link), Arc::clone(slot));
        Box::pin(async move {
            let connection = link.connected().await?;
            let mut call = connection
                .scripts
                .call(Script::Fill, &[&slot.entry, &slot.lease]);
            call.arg(fill.token.as_ref().map_or(&[][..], |token| &token.0))
                .arg(&fill.log)
                .arg(&fill.version.to_be_bytes())
                .arg(fill.bytes)
                .arg(crate::clock::millis(fill.ttl).max(1));
            match link.request::<i64>(&connection, &call).await? {
                0 => Ok(Filled::LeaseLost),
                1 => Ok(Filled::Stored),
                2 => Ok(Filled::Superseded),
                _ => Err(garbled("a fill")),
            }
        })
    }

    fn release(&self, slot: &Arc<Slot>, token: Token, failure: Option<String>) {
        self.link.run_errand(Errand::Release {
            slot: Arc::clone(slot),
            token,
            failure,
        });
    }

    fn discard(&self, slot: &Arc<Slot>, bytes: &[u8]) {
        // As much as has the checksum in it, where there is one.
        let begins = bytes[..bytes.len().min(ENOUGH_TO_TELL)].to_vec();
        self.link.run_errand(Errand::Discard {
            slot: Arc::clone(slot),
            length: bytes.len(),
            begins,
        });
    }
}

fn bidden(answer: &Value) -> Option<Bidden> {
    let values = reply::array(answer)?;
    match (reply::number(values.first()?)?, &values[1..]) {
        // A script's table ends at its first missing value; RESP3 may say so or leave it out.
        (0, []) => Some(Bidden::Granted { entry: None }),
        (0, [entry]) => Some(Bidden::Granted {
            entry: reply::bytes(entry).map(<[u8]>::to_vec),
        }),
        (1, [holder, log, head, left]) => Some(Bidden::Held {
            holder: Token(reply::id(holder)?),
            log: reply::id(log)?,
            head: reply::number(head)?,
            // Negative where it has just ended.
            remaining: Duration::from_millis(reply::number(left).unwrap_or(0)),
        }),
        (2, [message]) => {
            let message = String::from_utf8_lossy(reply::bytes(message)?).into_owned();
            Some(Bidden::Failed { message })
        }
        _ => None,
    }
}

/// Ends when a lease has changed; stops watching when dropped.
struct LeaseChange {
    link: Arc<Link>,
    slot: Arc<Slot>,
    changed: Pin<Box<OwnedNotified>>,
}

impl Future for LeaseChange {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.changed.as_mut().poll(cx)
    }
}

impl Drop for LeaseChange {
    fn drop(&mut self) {
        self.link.leases.unwatch(&self.slot.lease);
    }
}
