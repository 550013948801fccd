//! Where the server is and how keys are named there. Checks what users write; connects to nothing.

use std::fmt;
use std::time::Duration;

use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

use crate::error::{Error, ErrorKind};

/// The layout of the log and the scripts that go with it. Part of every name, so that two
/// releases in one fleet do not misread each other.
const LAYOUT: &str = "afresh:1";

/// What the connection needs to know.
#[derive(Clone)]
pub(crate) struct Config {
    pub(super) server: ConnectionInfo,
    pub(super) names: Names,
    pub(super) op_timeout: Duration,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The server's settings hold the password.
        f.debug_struct("Config")
            .field("server", &self.server.addr().to_string())
            .field("names", &self.names.prefix)
            .finish_non_exhaustive()
    }
}

impl Config {
    pub(crate) fn new(url: &str, prefix: &str, op_timeout: Duration) -> Result<Self, Error> {
        let server = parse(url)?;
        let settings = server
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP3);
        let server = server.set_redis_settings(settings);
        Ok(Self {
            server,
            names: Names::new(prefix)?,
            op_timeout,
        })
    }
}

fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// Reads a URL. The error names what is wrong with it, and never repeats the URL: it may hold a
/// password.
fn parse(url: &str) -> Result<ConnectionInfo, Error> {
    let Some((scheme, rest)) = url.trim().split_once("://") else {
        return Err(config(
            "the URL of the shared store has no scheme: write `redis://host:port`, for example \
             `redis://127.0.0.1:6379`",
        ));
    };
    match scheme {
        "redis" | "redis+unix" | "unix" | "valkey" | "valkey+unix" => {}
        "rediss" | "valkeys" => {
            return Err(config(format!(
                "`{scheme}://` needs TLS, which this build does not have yet: write `redis://` \
                 for a server on a trusted network"
            )));
        }
        "redis-sentinel" | "redis-cluster" => {
            return Err(config(format!(
                "`{scheme}://` is not supported yet: name one server with `redis://host:port`"
            )));
        }
        other => {
            return Err(config(format!(
                "`{other}://` is not a store that afresh knows: write `redis://host:port` or \
                 `redis+unix:///path/to/socket`"
            )));
        }
    }
    if rest.is_empty() {
        return Err(config(format!(
            "the URL `{scheme}://` names no server: write `{scheme}://host:port`"
        )));
    }
    url.trim().into_connection_info().map_err(|error| {
        // The detail may quote a part of the URL; the category does not.
        config(format!(
            "the URL of the shared store cannot be read ({}): write `redis://host:port/db`, with \
             the user and password percent-encoded",
            error.category()
        ))
    })
}

/// The names of everything that one cache keeps in a server.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
    pub(super) meta: Vec<u8>,
    pub(super) tags: [Vec<u8>; 2],
    pub(super) records: Vec<u8>,
}

impl Names {
    fn new(prefix: &str) -> Result<Self, Error> {
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '{' | '}');
        if prefix.is_empty() || prefix.len() > 128 || prefix.contains(odd) {
            return Err(config(format!(
                "`{}` cannot be a prefix: write 1 to 128 bytes without white space, `{{` or `}}`",
                prefix.escape_debug()
            )));
        }
        // The braces keep all of the log in one slot of a cluster.
        let name = |part: &str| format!("{{{prefix}}}:{LAYOUT}:{part}").into_bytes();
        Ok(Self {
            prefix: prefix.to_owned(),
            meta: name("log"),
            tags: [name("tags:0"), name("tags:1")],
            records: name("records"),
        })
    }

    /// The keys of the log's scripts.
    pub(super) fn log(&self) -> [&[u8]; 4] {
        [&self.meta, &self.tags[0], &self.tags[1], &self.records]
    }

    pub(super) fn probe(&self, token: u64) -> Vec<u8> {
        format!("{{{}}}:{LAYOUT}:probe:{token:016x}", self.prefix).into_bytes()
    }

    /// The names of an entry and its lease, in one slot of a cluster. `subject` has no braces.
    pub(super) fn slot(&self, subject: &str) -> super::Slot {
        let name =
            |kind: char| format!("{}:{LAYOUT}:{kind}:{{{subject}}}", self.prefix).into_bytes();
        super::Slot {
            entry: name('e'),
            lease: name('l'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Names};
    use crate::error::ErrorKind;
    use std::time::Duration;

    #[test]
    fn what_cannot_be_a_url_is_told_what_to_write() {
        for (url, said) in [
            ("", "no scheme"),
            ("localhost:6379", "no scheme"),
            ("http://localhost", "`http://` is not a store"),
            ("redis://", "names no server"),
            ("rediss://host", "needs TLS"),
            ("redis-cluster://a,b", "not supported yet"),
            ("redis://host:notaport", "cannot be read"),
            ("redis://:s3cret@host:99999", "cannot be read"),
            ("redis://:s3cret@host/notadb", "cannot be read"),
        ] {
            let error = Config::new(url, "shop", Duration::from_secs(1)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(error.to_string().contains(said), "{url}: {error}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        let config = Config::new(
            "redis://me:s3cret@localhost:1/3",
            "shop",
            Duration::from_secs(1),
        )
        .unwrap();
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn names_are_frozen() {
        let names = Names::new("shop").unwrap();
        assert_eq!(names.meta, b"{shop}:afresh:1:log");
        assert_eq!(names.tags[0], b"{shop}:afresh:1:tags:0");
        assert_eq!(names.records, b"{shop}:afresh:1:records");
        assert_eq!(
            names.slot("books/0:book:7").entry,
            b"shop:afresh:1:e:{books/0:book:7}"
        );
        assert_eq!(
            names.slot("books/0:book:7").lease,
            b"shop:afresh:1:l:{books/0:book:7}"
        );
    }

    #[test]
    fn a_prefix_that_would_break_names_is_refused() {
        for prefix in ["", "a b", "a{b", "tab\t", &"x".repeat(129)] {
            assert_eq!(
                Names::new(prefix).unwrap_err().kind(),
                ErrorKind::Config,
                "{prefix:?}"
            );
        }
    }
}
