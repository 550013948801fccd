//! Connecting: an address, a user, perhaps certificates, become a connection. Which address is
//! `endpoint`'s, and what is said on the connection its owner's.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, RedisResult};

use super::config::Certificates;
use super::fault::{is_lasting, store_error};
use crate::error::{Error, ErrorKind};
use crate::timer;

/// For a name to be resolved and a connection to be made.
const CONNECT: Duration = Duration::from_secs(2);

/// Connects, and agrees on user and protocol.
pub(super) async fn dial(
    server: &ConnectionInfo,
    tls: Option<&Certificates>,
    settings: AsyncConnectionConfig,
) -> Result<MultiplexedConnection, Error> {
    dial_within(CONNECT, server, tls, settings).await
}

/// As [`dial`], where there are others to try.
pub(super) async fn dial_within(
    limit: Duration,
    server: &ConnectionInfo,
    tls: Option<&Certificates>,
    settings: AsyncConnectionConfig,
) -> Result<MultiplexedConnection, Error> {
    let client = client(server.clone(), tls).map_err(|error| store_error(&error))?;
    let settings = settings
        .set_connection_timeout(Some(limit))
        // Each request has a timer of ours, which works without a runtime too.
        .set_response_timeout(None);
    let connecting = client.get_multiplexed_async_connection_with_config(&settings);
    match timer::timeout(limit, connecting).await {
        Some(Ok(redis)) => Ok(redis),
        Some(Err(error)) if is_lasting(&error) => Err(store_error(&error)),
        Some(Err(error)) => Err(Error::caused(
            ErrorKind::Store,
            "no connection to the shared store",
            error.to_string(),
        )),
        None => Err(Error::new(
            ErrorKind::Timeout,
            format!("no connection to the shared store within {limit:?}"),
        )),
    }
}

/// Another server, reached in the same way as this one.
pub(super) fn elsewhere(like: &ConnectionAddr, host: &str, port: u16) -> ConnectionAddr {
    let host = host.to_owned();
    match like.clone() {
        ConnectionAddr::TcpTls {
            insecure,
            tls_params,
            ..
        } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure,
            tls_params,
        },
        _ => ConnectionAddr::Tcp(host, port),
    }
}

#[cfg(feature = "tls")]
fn client(server: ConnectionInfo, tls: Option<&Certificates>) -> RedisResult<Client> {
    let Some(tls) = tls else {
        return Client::open(server);
    };
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Where the program has chosen a provider, even in this moment, that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let own = |(client_cert, client_key)| redis::ClientTlsConfig {
        client_cert,
        client_key,
    };
    let certificates = redis::TlsCertificates {
        client_tls: tls.client.clone().map(own),
        root_cert: tls.roots.clone(),
    };
    Client::build_with_tls(server, certificates)
}

#[cfg(not(feature = "tls"))]
fn client(server: ConnectionInfo, _: Option<&Certificates>) -> RedisResult<Client> {
    Client::open(server)
}
