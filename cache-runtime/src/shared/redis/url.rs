//! Reading the URL of a shared tier: where the servers are, and with what to connect to them. It
//! checks what users write, and never repeats it: a URL may hold a password.

use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

use super::encryption::Encryption;
use crate::error::{Error, ErrorKind};

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Where the servers are.
#[derive(Clone)]
pub(super) enum Target {
    Server(ConnectionInfo),
    /// The primary of this name, as these sentinels say; `server` has the rest.
    Sentinels {
        sentinels: Vec<ConnectionInfo>,
        name: String,
        server: ConnectionInfo,
    },
    /// A cluster that these nodes belong to.
    Cluster {
        seeds: Vec<ConnectionAddr>,
        server: ConnectionInfo,
    },
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The servers' settings hold passwords; their addresses do not.
        let (kind, addresses) = match self {
            Self::Server(server) => ("Server", vec![server.addr().to_string()]),
            Self::Sentinels { sentinels, .. } => (
                "Sentinels",
                sentinels.iter().map(|s| s.addr().to_string()).collect(),
            ),
            Self::Cluster { seeds, .. } => {
                ("Cluster", seeds.iter().map(ToString::to_string).collect())
            }
        };
        f.debug_tuple(kind).field(&addresses).finish()
    }
}

fn unusable(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// What a URL says.
pub(super) struct Parsed {
    pub(super) target: Target,
    /// What to encrypt with, where it says so.
    pub(super) tls: Option<Encryption>,
}

/// What a URL leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Server,
    Sentinel,
    Cluster,
}

/// Reads a URL. The error names what is wrong with it, and never repeats the URL: it may hold a
/// password.
pub(super) fn parse(url: &str) -> Result<Parsed, Error> {
    let Some((scheme, rest)) = url.trim().split_once("://") else {
        return Err(unusable(
            "the URL of the shared store has no scheme: write `redis://host:port`, for example \
             `redis://127.0.0.1:6379`",
        ));
    };
    let (kind, encrypted) = match scheme {
        "redis" | "redis+unix" | "unix" | "valkey" | "valkey+unix" => (Kind::Server, false),
        "rediss" | "valkeys" => (Kind::Server, true),
        "redis-sentinel" | "valkey-sentinel" => (Kind::Sentinel, false),
        "rediss-sentinel" | "valkeys-sentinel" => (Kind::Sentinel, true),
        "redis-cluster" | "valkey-cluster" => (Kind::Cluster, false),
        "rediss-cluster" | "valkeys-cluster" => (Kind::Cluster, true),
        other => {
            return Err(unusable(format!(
                "`{other}://` is not a store that afresh knows: write `redis://host:port`, \
                 `rediss://host:port` for TLS, `redis+unix:///path/to/socket`, \
                 `redis-sentinel://host:port,host:port/name` or \
                 `redis-cluster://host:port,host:port`"
            )));
        }
    };
    if encrypted && !cfg!(feature = "tls") {
        return Err(unusable(format!(
            "`{scheme}://` needs the feature `tls` of `afresh`, which this build leaves out"
        )));
    }
    if rest.is_empty() {
        return Err(unusable(format!(
            "the URL `{scheme}://` names no server: write `{scheme}://host:port`"
        )));
    }
    if rest.contains('#') {
        return Err(unusable(
            "what follows the `#` of the URL means nothing here; a certificate is always checked: \
             name its root with `?cacert=/path/ca.pem`",
        ));
    }
    let is_socket = scheme.contains("unix");
    check_signs(rest, is_socket)?;
    let (rest, query) = Query::split(rest);
    query.check(is_socket)?;
    let tls = query.encryption(encrypted)?;
    let client = if is_socket { "redis+unix" } else { "redis" };
    let target = match kind {
        Kind::Server => Target::Server(one(client, rest, &query.rest, PORT)?),
        Kind::Sentinel => sentinels(rest, &query)?,
        Kind::Cluster => cluster(rest, &query)?,
    };
    Ok(Parsed { target, tls })
}

/// Refuses a `/` or `?` that is likely to be in a password: what follows it would be taken for
/// something else, and shown.
fn check_signs(rest: &str, is_socket: bool) -> Result<(), Error> {
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = before.split_once('/').unwrap_or((before, ""));
    let is_well = if is_socket {
        authority.is_empty()
    } else {
        !path.contains('@') && !query.contains('@')
    };
    if is_well {
        return Ok(());
    }
    Err(unusable(if is_socket {
        "the URL of a socket has three slashes before its path, and user and password after the `?`: \
         write `redis+unix:///path/to/socket?user=name&pass=password`"
    } else {
        "the URL of the shared store has a `/` or `?` before an `@`: in a user and a password, write \
         `%2F` and `%3F` for them, and elsewhere `%40` for the `@`"
    }))
}

/// What follows the question mark: what is ours, and what is the client's.
#[derive(Default)]
struct Query {
    roots: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    sentinel_user: Option<String>,
    sentinel_password: Option<String>,
    rest: String,
}

impl Query {
    fn split(url: &str) -> (&str, Self) {
        let mut query = Self::default();
        let Some((url, pairs)) = url.split_once('?') else {
            return (url, query);
        };
        for pair in pairs.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "cacert" => &mut query.roots,
                "cert" => &mut query.certificate,
                "key" => &mut query.key,
                "sentinel_user" => &mut query.sentinel_user,
                "sentinel_password" => &mut query.sentinel_password,
                _ => {
                    query
                        .rest
                        .push(if query.rest.is_empty() { '?' } else { '&' });
                    query.rest.push_str(pair);
                    continue;
                }
            };
            *place = Some(decoded(value));
        }
        (url, query)
    }

    /// Refuses what would be passed over in silence.
    fn check(&self, is_socket: bool) -> Result<(), Error> {
        let ours = "`cacert`, `cert`, `key`, `sentinel_user` and `sentinel_password`";
        let pairs = self.rest.trim_start_matches('?').split('&');
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let name = pair.split_once('=').map_or(pair, |(name, _)| name);
            if !(is_socket && matches!(name, "db" | "user" | "pass")) {
                // What has an `@` in it may be a part of a password.
                let name = if self.rest.contains('@') {
                    "what stands there".to_owned()
                } else {
                    format!("`{}`", name.escape_debug())
                };
                return Err(unusable(format!(
                    "{name} means nothing after the `?` of the URL: there may stand {ours}; for a \
                     socket also `db`, `user` and `pass`"
                )));
            }
        }
        Ok(())
    }

    fn encryption(&self, encrypted: bool) -> Result<Option<Encryption>, Error> {
        let named = self.roots.is_some() || self.certificate.is_some() || self.key.is_some();
        if !encrypted {
            return if named {
                Err(unusable(
                    "`cacert`, `cert` and `key` are for TLS: write `rediss://` instead of \
                     `redis://`",
                ))
            } else {
                Ok(None)
            };
        }
        let client = match (&self.certificate, &self.key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((read("cert", certificate)?, read("key", key)?)),
            _ => {
                return Err(unusable(
                    "a client certificate needs both `cert=/path/cert.pem` and `key=/path/key.pem`",
                ));
            }
        };
        let roots = self.roots.as_ref().map(|path| read("cacert", path));
        encryption(roots.transpose()?, client).map(Some)
    }
}

#[cfg(feature = "tls")]
fn encryption(
    roots: Option<Vec<u8>>,
    client: Option<(Vec<u8>, Vec<u8>)>,
) -> Result<Encryption, Error> {
    let client = client.as_ref();
    let client = client.map(|(certificate, key)| (certificate.as_slice(), key.as_slice()));
    Encryption::new(roots.as_deref(), client)
}

#[cfg(not(feature = "tls"))]
fn encryption(_: Option<Vec<u8>>, _: Option<(Vec<u8>, Vec<u8>)>) -> Result<Encryption, Error> {
    // Refused by its scheme already.
    Err(unusable("this build leaves out TLS"))
}

fn read(option: &str, path: &str) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| {
        Error::caused(
            ErrorKind::Config,
            format!("the file that `{option}` names, `{path}`, cannot be read"),
            error,
        )
    })
}

/// Undoes percent-encoding. What is no code stays as it is.
fn decoded(text: &str) -> String {
    let hex = |digit: &u8| char::from(*digit).to_digit(16);
    let mut bytes = text.as_bytes();
    let mut plain = Vec::new();
    while let Some((&first, rest)) = bytes.split_first() {
        let code = match rest {
            [high, low, ..] if first == b'%' => hex(high).zip(hex(low)),
            _ => None,
        };
        if let Some((high, low)) = code {
            plain.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
            bytes = &rest[2..];
        } else {
            plain.push(first);
            bytes = rest;
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// One server, as the client reads it.
fn one(scheme: &str, rest: &str, query: &str, port: u16) -> Result<ConnectionInfo, Error> {
    let url = format!("{scheme}://{rest}{query}");
    let info = url.as_str().into_connection_info().map_err(|error| {
        // The detail may quote a part of the URL; the category does not.
        unusable(format!(
            "the URL of the shared store cannot be read ({}): write `redis://host:port/db`, with \
             the user and password percent-encoded",
            error.category()
        ))
    })?;
    let settings = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3)
        // One command, and one right, less.
        .set_skip_set_lib_name();
    let info = info.set_redis_settings(settings);
    // Sentinels have another port by default.
    let names_port = |host: &str| {
        let host = host.rsplit('@').next().unwrap_or(host);
        let host = host.rsplit(']').next().unwrap_or(host);
        host.contains(':')
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    if port == PORT || names_port(authority) {
        return Ok(info);
    }
    let addr = match info.addr().clone() {
        ConnectionAddr::Tcp(host, _) => ConnectionAddr::Tcp(host, port),
        other => other,
    };
    Ok(info.set_addr(addr))
}

/// `user:password@host:port,host:port/path`, taken apart.
fn hosts(rest: &str) -> (&str, Vec<&str>, &str) {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = match authority.rfind('@') {
        Some(at) => authority.split_at(at + 1),
        None => ("", authority),
    };
    let hosts = hosts.split(',').map(str::trim);
    (user, hosts.filter(|host| !host.is_empty()).collect(), path)
}

fn sentinels(rest: &str, query: &Query) -> Result<Target, Error> {
    let (user, hosts, path) = hosts(rest);
    let (name, database) = path.split_once('/').unwrap_or((path, ""));
    if name.is_empty() || hosts.is_empty() {
        return Err(unusable(
            "a sentinel's URL names the sentinels and the primary: write \
             `redis-sentinel://host:port,host:port/name`",
        ));
    }
    let server = one(
        "redis",
        &format!("{user}{}/{database}", hosts[0]),
        &query.rest,
        PORT,
    )?;
    let sentinel = |host: &&str| {
        let info = one("redis", host, "", SENTINEL_PORT)?;
        // What one asks a sentinel needs nothing newer, and old ones know nothing newer.
        let mut settings = info
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP2);
        if let Some(user) = &query.sentinel_user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &query.sentinel_password {
            settings = settings.set_password(password);
        }
        Ok(info.set_redis_settings(settings))
    };
    Ok(Target::Sentinels {
        sentinels: hosts.iter().map(sentinel).collect::<Result<_, Error>>()?,
        name: decoded(name),
        server,
    })
}

fn cluster(rest: &str, query: &Query) -> Result<Target, Error> {
    let (user, hosts, path) = hosts(rest);
    if hosts.is_empty() {
        return Err(unusable(
            "a cluster's URL names some of its nodes: write `redis-cluster://host:port,host:port`",
        ));
    }
    if !matches!(path, "" | "0") {
        return Err(unusable(
            "a cluster has no databases: leave out what follows the `/`",
        ));
    }
    let seeds: Vec<ConnectionInfo> = hosts
        .iter()
        .map(|host| one("redis", &format!("{user}{host}"), &query.rest, PORT))
        .collect::<Result<_, _>>()?;
    Ok(Target::Cluster {
        server: seeds[0].clone(),
        seeds: seeds.iter().map(|seed| seed.addr().clone()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Target, parse};
    use crate::error::{Error, ErrorKind};

    fn target(url: &str) -> Result<Target, Error> {
        parse(url).map(|parsed| parsed.target)
    }

    #[test]
    fn what_cannot_be_a_url_is_told_what_to_write() {
        for (url, said) in [
            ("", "no scheme"),
            ("localhost:6379", "no scheme"),
            ("http://localhost", "`http://` is not a store"),
            ("redis://", "names no server"),
            ("redis-cluster://", "names no server"),
            ("redis-cluster://me:s3cret@", "names some of its nodes"),
            ("redis-cluster://a,b/3", "no databases"),
            (
                "redis-sentinel://a,b",
                "names the sentinels and the primary",
            ),
            (
                "redis-sentinel:///shop",
                "names the sentinels and the primary",
            ),
            ("redis://host?cacert=/x", "write `rediss://`"),
            ("redis://host#insecure", "always checked"),
            ("redis://host?ca_cert=/x", "`ca_cert` means nothing"),
            ("redis://host:notaport", "cannot be read"),
            ("redis://:s3cret@host:99999", "cannot be read"),
            ("redis://:s3cret@host/notadb", "cannot be read"),
            ("redis://:pass?s3cret@host", "write `%2F` and `%3F`"),
            ("redis://:pass?cacert=s3cret@host", "write `%2F` and `%3F`"),
            (
                "redis://me@corp:p?cacert=s3cret@host",
                "write `%2F` and `%3F`",
            ),
            ("redis://me:1/s3cret@host", "write `%2F` and `%3F`"),
            ("redis-cluster://me:1/s3cret@a,b", "write `%2F` and `%3F`"),
            (
                "redis-sentinel://me:1/s3cret@a,b/shop",
                "write `%2F` and `%3F`",
            ),
            ("redis+unix://me:s3cret@/socket", "three slashes"),
            (
                "unix:///socket?pass=a&s3cret@",
                "what stands there means nothing",
            ),
        ] {
            let error = target(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(error.to_string().contains(said), "{url}: {error}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        for url in [
            "redis://me:s3cret@localhost:1/3",
            "redis-sentinel://me:s3cret@localhost:1,b/shop?sentinel_password=s3cret",
            "redis-cluster://me:s3cret@localhost:1,b:2",
        ] {
            let shown = format!("{:?}", target(url).unwrap());
            assert!(
                !shown.contains("s3cret") && shown.contains("localhost:1"),
                "{shown}"
            );
        }
    }

    #[test]
    fn several_hosts_share_user_and_password() {
        let target = target("redis-cluster://me:s%33cret@a:1,[::1]:2,c").unwrap();
        let Target::Cluster { seeds, server } = target else {
            panic!("a cluster");
        };
        let shown: Vec<_> = seeds.iter().map(ToString::to_string).collect();
        assert_eq!(shown.len(), 3);
        assert_eq!((shown[0].as_str(), shown[2].as_str()), ("a:1", "c:6379"));
        assert!(shown[1].ends_with(":2"), "{}", shown[1]);
        assert_eq!(server.redis_settings().password(), Some("s3cret"));
    }

    #[test]
    fn sentinels_have_a_port_and_a_password_of_their_own() {
        let url = "redis-sentinel://me:s3cret@a,b:1/shop/3?sentinel_password=o%26ther";
        let Target::Sentinels {
            sentinels,
            name,
            server,
        } = target(url).unwrap()
        else {
            panic!("sentinels");
        };
        assert_eq!(name, "shop");
        assert_eq!(sentinels[0].addr().to_string(), "a:26379");
        assert_eq!(sentinels[1].addr().to_string(), "b:1");
        assert_eq!(sentinels[0].redis_settings().username(), None);
        assert_eq!(sentinels[0].redis_settings().password(), Some("o&ther"));
        assert_eq!(server.redis_settings().username(), Some("me"));
        assert_eq!(server.redis_settings().db(), 3);
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn encryption_names_its_feature() {
        let error = target("rediss://host").unwrap_err().to_string();
        assert!(error.contains("feature `tls`"), "{error}");
    }

    #[cfg(feature = "tls")]
    #[test]
    fn certificates_that_cannot_be_used_are_named() {
        for (url, said) in [
            (
                "rediss://host?cacert=/no/such/file",
                "`/no/such/file`, cannot be read",
            ),
            ("rediss://host?cert=/x", "needs both"),
        ] {
            let error = target(url).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
