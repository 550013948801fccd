//! Connecting: an address, a user, perhaps certificates, become a connection whose replies are
//! bounded. Which address is `endpoint`'s, and what is said on the connection its owner's.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::bounded::Bounded;
use super::config::Settings;
use super::encryption::Encryption;
use super::fault::{is_lasting, store_error};
use super::reads::Together;
use super::wire::Wire;
use crate::error::{Error, ErrorKind};
use crate::timer;

/// For a name to be resolved and a connection to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// What a catch-up may bring beside the largest entry.
const RECORDS: usize = 96 << 20;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// How to connect, wherever.
#[derive(Clone, Copy)]
pub(super) struct Dial<'a> {
    pub(super) tls: Option<&'a Encryption>,
    pub(super) settings: &'a Settings,
    pub(super) together: &'a Arc<Together>,
}

/// What connections to one place know of how many look-ups to send together: no more entries of the
/// largest size than one reply may announce.
pub(super) fn together(settings: &Settings) -> Arc<Together> {
    Arc::new(Together::new(RECORDS / settings.max_value.max(1)))
}

impl Dial<'_> {
    /// Connects, and agrees on user and protocol.
    pub(super) async fn connect(
        self,
        server: &ConnectionInfo,
        config: AsyncConnectionConfig,
    ) -> Result<Wire, Error> {
        self.connect_within(CONNECT, server, config).await
    }

    /// As [`connect`](Self::connect), where there are others to try.
    pub(super) async fn connect_within(
        self,
        limit: Duration,
        server: &ConnectionInfo,
        config: AsyncConnectionConfig,
    ) -> Result<Wire, Error> {
        match timer::timeout(limit, self.agree(server, config)).await {
            Some(connected) => connected,
            None => Err(Error::new(
                ErrorKind::Timeout,
                format!("no connection to the shared store within {limit:?}"),
            )),
        }
    }

    async fn agree(
        self,
        server: &ConnectionInfo,
        config: AsyncConnectionConfig,
    ) -> Result<Wire, Error> {
        let stream = self
            .open(server.addr())
            .await
            .map_err(|error| unreached(&error.to_string()))?;
        let most = self.settings.max_value.saturating_add(RECORDS);
        // Each request has a timer of ours, which works without a runtime too.
        let config = config.set_response_timeout(None);
        let stream = Bounded::new(stream, most);
        let agreed =
            MultiplexedConnection::new_with_config(server.redis_settings(), stream, config).await;
        match agreed {
            Ok((connection, work)) => Ok(Wire::new(connection, work, self.together)),
            Err(error) if is_lasting(&error) => Err(store_error(&error)),
            Err(error) => Err(unreached(&error.to_string())),
        }
    }

    async fn open(self, addr: &ConnectionAddr) -> io::Result<Box<dyn Stream>> {
        match addr {
            ConnectionAddr::Tcp(host, port) => {
                // As it stands in a URL, with its brackets, an address of version 6 is no name.
                let host = host.trim_start_matches('[').trim_end_matches(']');
                let stream = TcpStream::connect((host, *port)).await?;
                // Requests are small, and none waits for another's answer.
                stream.set_nodelay(true)?;
                match self.tls {
                    None => Ok(Box::new(stream)),
                    #[cfg(feature = "tls")]
                    Some(tls) => Ok(Box::new(tls.begin(host, stream).await?)),
                    #[cfg(not(feature = "tls"))]
                    Some(none) => match *none {},
                }
            }
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => {
                Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
            }
            other => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("`{other}` cannot be connected to in this build"),
            )),
        }
    }
}

fn unreached(why: &str) -> Error {
    Error::caused(
        ErrorKind::Store,
        "no connection to the shared store",
        why.to_owned(),
    )
}
