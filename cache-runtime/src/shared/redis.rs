//! The shared tier on Redis or Valkey: the operations as their callers await them, on one server,
//! behind sentinels, or on a cluster. The connections themselves and all that goes on without a
//! caller are the driver's.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join;
use redis::{Cmd, Value, pipe};

use super::{
    Appended, Bid, Bidden, Claim, Fill, Filled, Found, Operation, Shared, Slot, Token, Unfinished,
};
use crate::clock::{Clock, Millis};
use crate::error::{Error, ErrorKind};
use crate::log::{Answer, MarkId, View};
use crate::observe::Reporter;
use crate::tag::TagHash;
use crate::timer::Alarm;

mod attach;
mod backlog;
mod bounded;
mod cluster;
mod config;
mod dial;
mod driver;
mod encryption;
mod endpoint;
mod errands;
mod fault;
mod follow;
#[cfg(any(test, afresh_fuzzing))]
pub(crate) mod hostile_tests;
mod lanes;
mod link;
mod nodes;
mod reads;
mod reply;
mod scripts;
mod url;
mod wire;
mod write;

use backlog::{Debt, Errand};
use cluster::{Cluster, slot_of};
pub(crate) use config::{Config, Settings};
use endpoint::Endpoint;
use fault::Redirect;
use link::{Common, Failed, Link};
use nodes::Nodes;
use reads::Looked;
use scripts::{Loaded, Script};
use url::Target;
use write::garbled;

/// How long a start-up waits for the first attempt to connect to end, one way or the other.
const FIRST_ATTACH: Duration = Duration::from_secs(3);

/// Two entries, or two pieces of rubbish, of one length do not begin with the same bytes.
const ENOUGH_TO_TELL: usize = 128;

/// How often one request follows its slot from node to node.
const REDIRECTS: usize = 4;

/// A handle on the shared tier. When the last one is dropped, the connections end.
#[derive(Debug)]
pub(crate) struct RedisShared {
    inside: Arc<Inside>,
}

/// Where log and entries are: on one link, or the entries on those to the nodes of a cluster.
struct Inside {
    log: Arc<Link>,
    nodes: Option<Nodes>,
}

impl std::fmt::Debug for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.log.fmt(f)
    }
}

impl RedisShared {
    /// Connects at the first use, or when [`reached`](Shared::reached) is called.
    pub(crate) fn new(
        config: Config,
        view: Arc<View>,
        clock: Arc<Clock>,
        reporter: Arc<Reporter>,
    ) -> Self {
        let cluster = match &config.target {
            Target::Cluster { seeds, server } => Some(Arc::new(Cluster::new(
                seeds.clone(),
                server.clone(),
                config.tls.clone(),
                config.settings,
            ))),
            Target::Server(_) | Target::Sentinels { .. } => None,
        };
        let common = Common {
            config: Arc::new(config),
            view,
            clock,
            reporter,
            leases: Arc::default(),
        };
        let endpoint = cluster.as_ref().map_or(Endpoint::Server, |cluster| {
            Endpoint::Log(Arc::clone(cluster))
        });
        let log = Link::new(common.clone(), endpoint, driver::start);
        let nodes = cluster.map(|cluster| Nodes::new(cluster, common, driver::start));
        Self {
            inside: Arc::new(Inside { log, nodes }),
        }
    }

    fn log(&self) -> &Arc<Link> {
        &self.inside.log
    }
}

impl Drop for RedisShared {
    fn drop(&mut self) {
        self.close();
    }
}

/// Where an answer came from.
struct Source {
    generation: u64,
    lane: usize,
    /// Whether a change of the keys that were read will be noted.
    noted: bool,
}

impl Inside {
    /// Whether entries are on the log's own connection, so that their replies and its notes come
    /// in order.
    fn is_one(&self) -> bool {
        self.nodes.is_none()
    }

    /// Sends a command about a key to the server that has it.
    async fn send(
        &self,
        key: &[u8],
        way: Way,
        command: impl Fn(&Loaded) -> Cmd,
    ) -> Result<(Value, Arc<Link>, Source), Error> {
        let lane = (way != Way::Any).then(|| slot_of(key));
        let watch = way == Way::Watched;
        let Some(nodes) = &self.nodes else {
            let (answer, source) = attempt(&self.log, lane, watch, false, &command).await?;
            return Ok((answer, Arc::clone(&self.log), source));
        };
        let slot = slot_of(key);
        if nodes.cluster.owner(slot).is_err() {
            // The log's link has not found its way yet, and everything waits for that.
            self.log.connected().await?;
        }
        let (mut node, mut link) = nodes.of(slot)?;
        let mut asking = false;
        for _ in 0..REDIRECTS {
            let failed = match attempt(&link, lane, watch, asking, &command).await {
                Ok((answer, source)) => return Ok((answer, link, source)),
                Err(failed) => failed,
            };
            let next = match &failed.redirect {
                Some(Redirect::Moved(to)) => {
                    asking = false;
                    nodes.cluster.moved(slot, to, &node)
                }
                Some(Redirect::Ask(to)) => {
                    asking = true;
                    nodes.cluster.importing(to, &node)
                }
                None => return Err(failed.error),
            };
            node = next.ok_or(failed.error)?;
            link = nodes.link(&node);
        }
        Err(Error::new(
            ErrorKind::Store,
            "the cluster sent a request from node to node without an end",
        ))
    }

    /// A look-up on the connection that has the log's notes.
    async fn look_up(&self, slot: &Arc<Slot>) -> Result<Found, Error> {
        let log = &self.log;
        let connection = match log.ready() {
            Some(connection) => connection,
            None => Box::pin(log.connected()).await?,
        };
        let (generation, lane) = (connection.generation, connection.pick());
        let answer = log.read(&connection, lane, slot).await?;
        // Whatever was appended before the server read the entry has been noted by now.
        if !log.is_up_to_date(generation, lane) {
            Box::pin(log.up_to_date(generation, lane)).await?;
        }
        found(answer, connection.tracked)
    }

    /// The link by which a key's errands are run.
    fn errands_of(&self, slot: &Slot) -> Arc<Link> {
        let nodes = self.nodes.as_ref();
        let link = nodes.and_then(|nodes| nodes.of(slot_of(&slot.entry)).ok());
        link.map_or_else(|| Arc::clone(&self.log), |(_, link)| link)
    }
}

/// Which connection a request goes by, where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Whichever is next.
    Any,
    /// That of the key: what is sent about its lease arrives in the order in which it was sent. A
    /// release that overtook its bid would leave a lease that nobody holds.
    InOrder,
    /// The same; and a change of what it reads will be noted.
    Watched,
}

async fn attempt(
    link: &Arc<Link>,
    lane: Option<u16>,
    watch: bool,
    asking: bool,
    command: &impl Fn(&Loaded) -> Cmd,
) -> Result<(Value, Source), Failed> {
    // What nearly no request needs is in boxes, here and below: each has to make the room.
    let connection = match link.ready() {
        Some(connection) => connection,
        None => Box::pin(link.connected()).await?,
    };
    let lane = lane.map_or_else(|| connection.pick(), |slot| connection.of(slot));
    // On its way to another node, a slot's key cannot be watched: ASKING and CACHING each hold for
    // the next command only.
    let noted = watch && connection.tracked && !asking;
    let command = command(&connection.scripts);
    let answer = if noted || asking {
        let mut commands = pipe();
        if asking {
            commands.cmd("ASKING").ignore();
        } else {
            commands.cmd("CLIENT").arg("CACHING").arg("YES").ignore();
        }
        commands.add_command(command);
        let (answer,) = Box::pin(link.request_all(&connection, lane, &commands)).await?;
        answer
    } else {
        link.request(&connection, lane, &command).await?
    };
    let source = Source {
        generation: connection.generation,
        lane,
        noted,
    };
    Ok((answer, source))
}

impl Shared for RedisShared {
    fn is_away(&self, slot: &Slot) -> bool {
        let node_is_away = |nodes: &Nodes| {
            let node = nodes.of(slot_of(&slot.entry));
            node.is_ok_and(|(_, link)| link.is_away())
        };
        self.log().is_away() || self.inside.nodes.as_ref().is_some_and(node_is_away)
    }

    fn is_attached(&self) -> bool {
        !self.log().is_closed() && self.log().connection().is_some()
    }

    fn is_tracked(&self) -> bool {
        self.log().is_tracked_now()
    }

    fn now(&self) -> Millis {
        self.log().server_now()
    }

    fn alarm(&self, after: Duration) -> Alarm {
        let clock = &self.log().clock;
        Alarm::at(clock, clock.now() + crate::clock::millis(after))
    }

    fn summon(&self) {
        self.log().drive();
    }

    fn reached(&self) -> Operation<()> {
        let log = Arc::clone(self.log());
        Box::pin(async move { log.connected_within(FIRST_ATTACH).await.map(|_| ()) })
    }

    fn slot(&self, subject: &str) -> Slot {
        self.log().config.names.slot(subject)
    }

    fn get(&self, slot: &Arc<Slot>, prove: bool) -> Operation<Found> {
        let (inside, slot) = (Arc::clone(&self.inside), Arc::clone(slot));
        if inside.is_one() {
            return Box::pin(async move { inside.look_up(&slot).await });
        }
        Box::pin(async move {
            let get = inside.send(&slot.entry, Way::Any, |_| get(&slot));
            let (answer, proven) = if prove {
                let ((answer, ..), ()) = try_join(get, inside.log.barrier()).await?;
                (answer, true)
            } else {
                (get.await?.0, false)
            };
            found(answer.into(), proven)
        })
    }

    fn barrier(&self) -> Operation<()> {
        let log = Arc::clone(self.log());
        Box::pin(async move { log.barrier().await })
    }

    fn ask(&self, tags: Arc<[TagHash]>) -> Operation<Answer> {
        let link = Arc::clone(self.log());
        Box::pin(async move {
            let connection = link.connected().await?;
            let mut ask = connection
                .scripts
                .call(Script::Ask, &link.config.names.log());
            ask.arg(reply::pack(&tags));
            let lane = connection.pick();
            let answer: Value = link.request(&connection, lane, &ask).await?;
            if answer == Value::Nil {
                // The driver finds it missing too, and begins another.
                link.note(lane);
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
        let link = Arc::clone(self.log());
        Box::pin(async move {
            let connection = link.connected().await?;
            link.note(0);
            link.up_to_date(connection.generation, 0).await
        })
    }

    fn append(
        &self,
        tags: Vec<TagHash>,
        ends: Option<MarkId>,
        claim: Option<Claim>,
    ) -> Operation<Option<Appended>> {
        let link = Arc::clone(self.log());
        Box::pin(async move {
            let connection = link.connected().await?;
            write::append(&link, &connection, &tags, ends.as_slice(), claim.as_ref()).await
        })
    }

    fn owe(&self, tags: Vec<TagHash>, ends: Option<MarkId>) {
        self.log().owe(Debt {
            tags,
            ends,
            repeats: false,
        });
    }

    fn mark(&self, id: MarkId, tags: Vec<TagHash>, lasts: Duration) -> Operation<()> {
        let link = Arc::clone(self.log());
        Box::pin(async move {
            let connection = link.connected().await?;
            let lasts = crate::clock::millis(lasts).max(1);
            let now = link.clock.now();
            // Before it is sent: should the answer be lost, it stands, and is kept standing.
            link.backlog.keep_mark(id, tags.clone(), lasts, now);
            // It sleeps no longer than until the first is due.
            link.work.notify_one();
            write::mark(&link, &connection, id, &tags, lasts).await
        })
    }

    fn finish(&self, limit: Duration) -> Operation<()> {
        let inside = Arc::clone(&self.inside);
        Box::pin(async move {
            inside.log.finish(limit).await;
            for link in inside.nodes.iter().flat_map(Nodes::all) {
                // What is left to the nodes is to free leases, which end by themselves.
                link.finish(limit.min(link.config.settings.op_timeout))
                    .await;
            }
            Ok(())
        })
    }

    fn unfinished(&self) -> Unfinished {
        let mut unfinished = self.log().backlog.unfinished();
        for link in self.inside.nodes.iter().flat_map(Nodes::all) {
            unfinished.errands += link.backlog.unfinished().errands;
        }
        // All links have theirs in common.
        unfinished.watched = self.log().leases.len();
        unfinished
    }

    fn is_closed(&self) -> bool {
        self.log().is_closed()
    }

    fn close(&self) {
        self.log().close();
        for link in self.inside.nodes.iter().flat_map(Nodes::all) {
            link.close();
        }
    }

    fn bid(&self, slot: &Arc<Slot>, bid: Bid) -> Operation<Bidden> {
        let (inside, slot) = (Arc::clone(&self.inside), Arc::clone(slot));
        Box::pin(async move {
            let token = |token: Option<Token>| token.map_or(Vec::new(), |token| token.0.to_vec());
            let call = |scripts: &Loaded| {
                let mut call = scripts.call(Script::Bid, &[&slot.entry, &slot.lease()]);
                call.arg(&bid.token.0)
                    .arg(&bid.log)
                    .arg(bid.head)
                    .arg(crate::clock::millis(bid.ttl).max(1))
                    .arg(token(bid.waited))
                    .arg(token(bid.supersede));
                call
            };
            // Watched, so that the lease's end, however it comes, is noted.
            let (answer, link, source) = inside.send(&slot.entry, Way::Watched, call).await?;
            if inside.is_one() {
                link.up_to_date(source.generation, source.lane).await?;
            }
            bidden(&answer, source.noted).ok_or_else(|| garbled("a bid"))
        })
    }

    fn lease_change(&self, slot: &Arc<Slot>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.log().leases.change(&slot.lease()))
    }

    fn renew(&self, slot: &Arc<Slot>, token: Token, ttl: Duration) -> Operation<bool> {
        let (inside, slot) = (Arc::clone(&self.inside), Arc::clone(slot));
        Box::pin(async move {
            let call = |scripts: &Loaded| {
                let mut renew = scripts.call(Script::Renew, &[&slot.lease()]);
                renew.arg(&token.0).arg(crate::clock::millis(ttl).max(1));
                renew
            };
            match inside.send(&slot.lease(), Way::InOrder, call).await {
                Ok((answer, ..)) => Ok(reply::number(&answer) == Some(1)),
                Err(error) => {
                    let reporter = &inside.log.reporter;
                    reporter.counters.store_errors.add();
                    reporter.fault("renewing a lease", &error);
                    Err(error)
                }
            }
        })
    }

    fn fill(&self, slot: &Arc<Slot>, fill: Fill) -> Operation<Filled> {
        let (inside, slot) = (Arc::clone(&self.inside), Arc::clone(slot));
        Box::pin(async move {
            let call = |scripts: &Loaded| {
                let mut call = scripts.call(Script::Fill, &[&slot.entry, &slot.lease()]);
                call.arg(fill.token.as_ref().map_or(&[][..], |token| &token.0))
                    .arg(&fill.log)
                    .arg(&fill.version.to_be_bytes())
                    .arg(&fill.bytes)
                    .arg(crate::clock::millis(fill.ttl).max(1));
                call
            };
            let (answer, ..) = inside.send(&slot.entry, Way::InOrder, call).await?;
            match reply::number(&answer) {
                Some(0) => Ok(Filled::LeaseLost),
                Some(1) => Ok(Filled::Stored),
                Some(2) => Ok(Filled::Superseded),
                _ => Err(garbled("a fill")),
            }
        })
    }

    fn release(&self, slot: &Arc<Slot>, token: Token, failure: Option<String>) {
        self.inside.errands_of(slot).run_errand(Errand::Release {
            slot: Arc::clone(slot),
            token,
            failure,
        });
    }

    fn discard(&self, slot: &Arc<Slot>, bytes: &[u8]) {
        // As much as has the checksum in it, where there is one.
        let begins = bytes[..bytes.len().min(ENOUGH_TO_TELL)].to_vec();
        self.inside.errands_of(slot).run_errand(Errand::Discard {
            slot: Arc::clone(slot),
            length: bytes.len(),
            begins,
        });
    }
}

fn get(slot: &Slot) -> Cmd {
    let mut get = Cmd::with_capacity(2, "GET".len() + slot.entry.len());
    get.arg("GET").arg(&slot.entry);
    get
}

fn found(answer: Looked, proven: bool) -> Result<Found, Error> {
    let entry = match answer {
        Looked::Entry(bytes) => Some(bytes),
        Looked::Nothing => None,
        Looked::Other => return Err(garbled("a look-up")),
    };
    Ok(Found { entry, proven })
}

fn bidden(answer: &Value, noted: bool) -> Option<Bidden> {
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
            head: reply::position(head)?,
            // Negative where it has just ended.
            remaining: Duration::from_millis(reply::number(left).unwrap_or(0)),
            noted,
        }),
        (2, [message]) => {
            let message = String::from_utf8_lossy(reply::bytes(message)?).into_owned();
            Some(Bidden::Failed { message })
        }
        _ => None,
    }
}
