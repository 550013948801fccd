//! Where a link leads: finds the server of the moment. Connecting to it is `dial`'s.

use std::sync::Arc;
use std::time::Duration;

use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, cmd};

use super::cluster::{Cluster, Node, slot_of};
use super::config::Config;
use super::dial::{self, Dial};
use super::fault::{is_lasting, store_error};
use super::url::Target;
use crate::error::{Error, ErrorKind};

/// For a sentinel to be reached, and to say where the primary is, before the next one is asked.
const ADVICE: Duration = Duration::from_millis(500);

/// Where a link leads.
#[derive(Debug)]
pub(super) enum Endpoint {
    /// To the one server there is, or to the primary that sentinels name.
    Server,
    /// To the node of a cluster that has the log.
    Log(Arc<Cluster>),
    /// To this node of a cluster.
    Node(Arc<Cluster>, Node),
}

impl Endpoint {
    /// Whether the log is there.
    pub(super) fn has_the_log(&self) -> bool {
        !matches!(self, Self::Node(..))
    }

    /// The server to connect to now. `turn` says who is asked first where several can tell: one that
    /// is cut off from the others tells the same every time.
    pub(super) async fn locate(&self, config: &Config, turn: u64) -> Result<ConnectionInfo, Error> {
        match self {
            Self::Log(cluster) => {
                cluster.refresh().await?;
                let node = cluster.owner(slot_of(&config.names.meta))?;
                Ok(cluster.server(&node))
            }
            Self::Node(cluster, node) => Ok(cluster.server(node)),
            Self::Server => match &config.target {
                Target::Server(server) | Target::Cluster { server, .. } => Ok(server.clone()),
                Target::Sentinels {
                    sentinels,
                    name,
                    server,
                } => {
                    let addr = primary(sentinels, name, config, turn).await?;
                    Ok(server.clone().set_addr(addr))
                }
            },
        }
    }

    /// The server could not be reached, or was lost: what is known of its neighbours may be old.
    pub(super) async fn look_around(&self) {
        if let Self::Node(cluster, _) = self {
            // Where nobody answers, the log's own link is the one to say so.
            let _ = cluster.refresh().await;
        }
    }

    /// Slots may have moved.
    pub(super) async fn follow_moves(&self) {
        if let Self::Node(cluster, _) = self {
            cluster.follow_moves().await;
        }
    }

    /// Whether there is still something there to connect to.
    pub(super) fn is_in_use(&self) -> bool {
        match self {
            Self::Node(cluster, node) => cluster.has_part(node),
            Self::Server | Self::Log(_) => true,
        }
    }
}

/// The address of the primary, as the first sentinel that answers has it. That the server there
/// is one is proven by the writes of an attach.
async fn primary(
    sentinels: &[ConnectionInfo],
    name: &str,
    config: &Config,
    turn: u64,
) -> Result<ConnectionAddr, Error> {
    let mut last = None;
    // As many as there are in a URL: the remainder is small.
    let first = (turn % sentinels.len().max(1) as u64) as usize;
    let (before, after) = sentinels.split_at(first);
    for sentinel in after.iter().chain(before) {
        match ask(sentinel, name, config).await {
            Ok(Some((host, port))) => return Ok(ConnectionAddr::Tcp(host, port)),
            Ok(None) => {
                last = Some(Error::new(
                    ErrorKind::Config,
                    format!(
                        "the sentinels know no primary named `{name}`: check the end of the URL"
                    ),
                ));
            }
            Err(error) => last = last.or(Some(error)),
        }
    }
    Err(last.unwrap_or_else(|| Error::new(ErrorKind::Store, "there are no sentinels to ask")))
}

async fn ask(
    sentinel: &ConnectionInfo,
    name: &str,
    config: &Config,
) -> Result<Option<(String, u16)>, Error> {
    let plain = AsyncConnectionConfig::new();
    let dial = Dial {
        tls: config.tls.as_ref(),
        settings: &config.settings,
        together: &dial::together(&config.settings),
    };
    let sentinel = dial.connect_within(ADVICE, sentinel, plain).await?;
    let mut ask = cmd("SENTINEL");
    ask.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    match sentinel.ask(ADVICE, &ask).await {
        Some(Ok(primary)) => Ok(primary),
        Some(Err(error)) if is_lasting(&error) => Err(store_error(&error)),
        Some(Err(error)) => Err(Error::caused(
            ErrorKind::Store,
            "a sentinel answered with an error",
            error.to_string(),
        )),
        None => Err(Error::new(ErrorKind::Timeout, "a sentinel did not answer")),
    }
}
