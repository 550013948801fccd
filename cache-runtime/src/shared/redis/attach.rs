//! Making a connection one can rely on: it speaks RESP3, its server takes writes and is the one
//! that kept the log, and notes of changes are proven to arrive.

use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, PushInfo, RedisError, ServerErrorKind, cmd, pipe};

use super::follow;
use super::link::{Connection, Link, is_lasting, store_error};
use super::scripts::{Loaded, Script};
use crate::error::{Error, ErrorKind};
use crate::timer;

/// For a name to be resolved and a connection to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// Requests that may wait in this process to be written.
const QUEUE: usize = 1_024;

/// Connects, finds or begins the log, proves the tracking, and brings the view up to date.
pub(super) async fn attach(link: &Arc<Link>) -> Result<Arc<Connection>, Error> {
    let generation = link.next_generation();
    let redis = connect(link, generation).await?;
    let scripts = load(link, &redis).await?;
    let tracked = track(link, &redis, &scripts).await?;
    let connection = Arc::new(Connection::new(generation, redis, scripts, tracked));
    if !tracked {
        tracing::warn!(
            target: "afresh",
            "the server acknowledges CLIENT TRACKING but sends no notes (a proxy, perhaps): every \
             hit asks the log first, and the local tier is not used"
        );
    }
    set_time(link, &connection).await?;
    follow::begin(link, &connection).await?;
    // Two passes at the most in a quiet log: one to find the head, one to join up with it.
    link.note();
    for _ in 0..8 {
        let notes = link.notes();
        if follow::pass(link, &connection).await? {
            link.caught
                .send_replace(super::link::Caught { generation, notes });
            link.attached(Arc::clone(&connection));
            return Ok(connection);
        }
    }
    Err(Error::new(
        ErrorKind::Store,
        "the log moves faster than it can be followed",
    ))
}

async fn connect(link: &Arc<Link>, generation: u64) -> Result<MultiplexedConnection, Error> {
    let client = Client::open(link.config.server.clone()).map_err(|error| store_error(&error))?;
    // The callback runs in the connection's own task, before the reply that follows is handed
    // over. It holds the link weakly: the link holds the connection.
    let weak: Weak<Link> = Arc::downgrade(link);
    let on_push = move |push: PushInfo| -> Result<(), redis::aio::SendError> {
        if let Some(link) = weak.upgrade() {
            link.on_push(generation, &push);
        }
        Ok(())
    };
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        // Each request has a timer of ours, which works without a runtime too.
        .set_response_timeout(None)
        .set_pipeline_buffer_size(QUEUE)
        .set_push_sender(on_push);
    let connecting = client.get_multiplexed_async_connection_with_config(&config);
    match timer::timeout(CONNECT, connecting).await {
        Some(Ok(redis)) => Ok(redis),
        Some(Err(error)) if is_lasting(&error) => Err(store_error(&error)),
        Some(Err(error)) => Err(Error::caused(
            ErrorKind::Store,
            "no connection to the shared store",
            error.to_string(),
        )),
        None => Err(Error::new(
            ErrorKind::Timeout,
            format!("no connection to the shared store within {CONNECT:?}"),
        )),
    }
}

async fn load(link: &Link, redis: &MultiplexedConnection) -> Result<Loaded, Error> {
    let timeout = link.config.op_timeout.max(Duration::from_secs(1));
    for says_flags in [true, false] {
        let mut redis = redis.clone();
        let load = Loaded::load(says_flags);
        match timer::timeout(timeout, load.query_async::<Vec<String>>(&mut redis)).await {
            Some(Ok(digests)) => return Ok(Loaded::new(digests)),
            // Servers before 7.0 do not compile a first line with flags.
            Some(Err(error))
                if says_flags && error.kind() == ServerErrorKind::ResponseError.into() => {}
            Some(Err(error)) => return Err(store_error(&error)),
            None => break,
        }
    }
    Err(Error::new(
        ErrorKind::Timeout,
        "the scripts could not be loaded in time",
    ))
}

/// Turns the tracking on, then changes a key that it was told to watch: only a note that has come
/// proves that notes come. Some proxies answer `OK` and never send one.
async fn track(
    link: &Link,
    redis: &MultiplexedConnection,
    scripts: &Loaded,
) -> Result<bool, Error> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|error| Error::caused(ErrorKind::Store, "no random bits", error.to_string()))?;
    let probe = link.config.names.probe(u64::from_le_bytes(random));
    link.expect_probe(probe.clone());
    let mut commands = pipe();
    commands
        .cmd("CLIENT")
        .arg("TRACKING")
        .arg("ON")
        .arg("OPTIN")
        .ignore();
    commands.cmd("CLIENT").arg("CACHING").arg("YES").ignore();
    commands.cmd("GET").arg(&probe).ignore();
    // In a script, because a script may say that it writes even where memory is full.
    commands
        .add_command(scripts.call(Script::Probe, &[&probe]))
        .ignore();
    let mut redis = redis.clone();
    let timeout = link.config.op_timeout.max(Duration::from_secs(1));
    match timer::timeout(timeout, commands.query_async::<()>(&mut redis)).await {
        Some(Ok(())) => {}
        // The server does not know these commands.
        Some(Err(error)) if is_unknown(&error) => return Ok(false),
        Some(Err(error)) => return Err(store_error(&error)),
        None => {
            return Err(Error::new(
                ErrorKind::Timeout,
                "no answer to CLIENT TRACKING",
            ));
        }
    }
    // The note of one's own write follows its reply; the next reply follows the note.
    match timer::timeout(timeout, cmd("PING").query_async::<()>(&mut redis)).await {
        Some(Ok(())) => Ok(link.probe_came()),
        _ => Err(Error::new(ErrorKind::Timeout, "no answer to PING")),
    }
}

/// Whether the server does not know a command, as opposed to refusing it.
fn is_unknown(error: &RedisError) -> bool {
    let says_unknown = |detail: &str| detail.to_ascii_lowercase().contains("unknown");
    error.kind() == ServerErrorKind::ResponseError.into()
        && error.detail().is_some_and(says_unknown)
}

async fn set_time(link: &Link, connection: &Connection) -> Result<(), Error> {
    let sent = link.clock.unadvanced();
    let (seconds, micros): (u64, u64) = link.request(connection, &cmd("TIME")).await?;
    link.set_time(sent, seconds * 1_000 + micros / 1_000);
    Ok(())
}
