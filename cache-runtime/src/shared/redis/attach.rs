//! Making connections one can rely on: they speak RESP3, their server takes writes and is the one
//! that kept the log, and notes of changes are proven to arrive.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::aio::SendError;
use redis::{AsyncConnectionConfig, PushInfo, RedisError, ServerErrorKind, Value, cmd, pipe};

use super::dial::Dial;
use super::fault::store_error;
use super::link::{Connection, Link};
use super::scripts::{Loaded, Script};
use super::wire::Wire;
use super::{follow, reply, write};
use crate::error::{Error, ErrorKind};

/// Requests that may wait in this process to be written.
const QUEUE: usize = 1_024;

/// Connects, finds or begins the log, proves the tracking, and brings the view up to date. Where
/// the log is elsewhere, only connects.
pub(super) async fn attach(link: &Arc<Link>) -> Result<Arc<Connection>, Error> {
    let generation = link.next_generation();
    let lanes = connect(link, generation).await?;
    let scripts = load(link, &lanes[0]).await?;
    let mut tracked = true;
    for lane in &lanes {
        tracked &= if link.endpoint.has_the_log() {
            track(link, lane, &scripts).await?
        } else {
            // Only the waits for leases go by its notes, and those are bounded anyway.
            turn_tracking_on(link, lane).await?
        };
    }
    let connection = Arc::new(Connection::new(generation, lanes, scripts, tracked));
    if link.endpoint.has_the_log() {
        find_log(link, &connection).await?;
    }
    link.attached(Arc::clone(&connection));
    Ok(connection)
}

async fn find_log(link: &Arc<Link>, connection: &Connection) -> Result<(), Error> {
    if !connection.tracked {
        tracing::warn!(
            target: "afresh",
            "the server acknowledges CLIENT TRACKING but sends no notes (a proxy, perhaps): every \
             hit asks the log first, and the local tier is not used"
        );
    }
    set_time(link, connection).await?;
    follow::begin(link, connection).await?;
    // Arms the tracking of each connection, and sees to it that the view has all that they know.
    for lane in 0..connection.lanes.len() {
        link.note(lane);
    }
    follow::catch_up(link, connection).await
}

async fn connect(link: &Arc<Link>, generation: u64) -> Result<Box<[Wire]>, Error> {
    let server = link.endpoint.locate(&link.config, generation).await?;
    let lanes = (0..link.lanes.len()).map(|lane| {
        // The callback runs in the connection's own task, before the reply that follows is handed
        // over. It holds the link weakly: the link holds the connection.
        let weak: Weak<Link> = Arc::downgrade(link);
        let on_push = move |push: PushInfo| -> Result<(), SendError> {
            if let Some(link) = weak.upgrade() {
                link.on_push(generation, lane, &push);
            }
            Ok(())
        };
        let settings = AsyncConnectionConfig::new()
            .set_pipeline_buffer_size(QUEUE)
            .set_push_sender(on_push);
        let dial = Dial {
            tls: link.config.tls.as_ref(),
            settings: &link.config.settings,
            together: &link.together,
        };
        dial.connect(&server, settings)
    });
    try_join_all(lanes).await.map(Vec::into_boxed_slice)
}

async fn load(link: &Link, wire: &Wire) -> Result<Loaded, Error> {
    let timeout = link.config.settings.op_timeout.max(Duration::from_secs(1));
    for says_flags in [true, false] {
        let load = Loaded::load(says_flags);
        match wire.ask_all::<Vec<String>>(timeout, &load).await {
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
async fn track(link: &Link, wire: &Wire, scripts: &Loaded) -> Result<bool, Error> {
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
    let timeout = link.config.settings.op_timeout.max(Duration::from_secs(1));
    match wire.ask_all::<()>(timeout, &commands).await {
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
    match wire.ask::<()>(timeout, &cmd("PING")).await {
        Some(Ok(())) => Ok(link.probe_came()),
        _ => Err(Error::new(ErrorKind::Timeout, "no answer to PING")),
    }
}

/// As [`track`], but what it says is believed.
async fn turn_tracking_on(link: &Link, wire: &Wire) -> Result<bool, Error> {
    let mut track = cmd("CLIENT");
    track.arg("TRACKING").arg("ON").arg("OPTIN");
    let timeout = link.config.settings.op_timeout.max(Duration::from_secs(1));
    match wire.ask::<()>(timeout, &track).await {
        Some(Ok(())) => Ok(true),
        Some(Err(error)) if is_unknown(&error) => Ok(false),
        Some(Err(error)) => Err(store_error(&error)),
        None => Err(Error::new(
            ErrorKind::Timeout,
            "no answer to CLIENT TRACKING",
        )),
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
    let time: Value = link.request(connection, 0, &cmd("TIME")).await?;
    let time = reply::time(&time).ok_or_else(|| write::garbled("the time"))?;
    link.set_time(sent, time);
    Ok(())
}
