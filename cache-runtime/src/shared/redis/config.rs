//! What the connections need to know, and how keys are named in a server. Connects to nothing.

use std::fmt;
use std::time::Duration;

use super::encryption::Encryption;
use super::url::{Parsed, Target, parse};
use crate::clock::Millis;
use crate::error::{Error, ErrorKind};

/// The layout of the log and the scripts that go with it. Part of every name, so that two
/// releases in one fleet do not misread each other.
const LAYOUT: &str = "afresh:1";

/// What a builder says of the shared tier, besides where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) op_timeout: Duration,
    /// How many connections follow the log.
    pub(crate) connections: usize,
    /// The longest time to live.
    pub(crate) longest: Millis,
    pub(crate) trust_failover: bool,
    /// The largest entry, in bytes: no reply is much larger.
    pub(crate) max_value: usize,
}

/// What the connections need to know.
#[derive(Clone)]
pub(crate) struct Config {
    pub(super) target: Target,
    /// What to encrypt with, where the URL says so.
    pub(super) tls: Option<Encryption>,
    pub(super) names: Names,
    pub(super) settings: Settings,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("target", &self.target)
            .field("prefix", &self.names.prefix)
            .finish_non_exhaustive()
    }
}

impl Config {
    pub(crate) fn new(url: &str, prefix: &str, settings: Settings) -> Result<Self, Error> {
        let Parsed { target, tls } = parse(url)?;
        Ok(Self {
            target,
            tls,
            names: Names::new(prefix)?,
            settings,
        })
    }
}

/// The names of everything that one cache keeps in a server.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
    pub(super) meta: Vec<u8>,
    pub(super) tags: [Vec<u8>; 2],
    pub(super) records: Vec<u8>,
    pub(super) marks: Vec<u8>,
    /// What the name of each entry begins with.
    entries: Vec<u8>,
}

impl Names {
    fn new(prefix: &str) -> Result<Self, Error> {
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '{' | '}');
        if prefix.is_empty() || prefix.len() > 128 || prefix.contains(odd) {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "`{}` cannot be a prefix: write 1 to 128 bytes without white space, `{{` or `}}`",
                    prefix.escape_debug()
                ),
            ));
        }
        // The braces keep all of the log in one slot of a cluster.
        let name = |part: &str| format!("{{{prefix}}}:{LAYOUT}:{part}").into_bytes();
        Ok(Self {
            prefix: prefix.to_owned(),
            meta: name("log"),
            tags: [name("tags:0"), name("tags:1")],
            records: name("records"),
            marks: name("marks"),
            entries: format!("{prefix}:{LAYOUT}:e:{{").into_bytes(),
        })
    }

    /// The keys of the log's scripts.
    pub(super) fn log(&self) -> [&[u8]; 5] {
        [
            &self.meta,
            &self.tags[0],
            &self.tags[1],
            &self.records,
            &self.marks,
        ]
    }

    pub(super) fn probe(&self, token: u64) -> Vec<u8> {
        format!("{{{}}}:{LAYOUT}:probe:{token:016x}", self.prefix).into_bytes()
    }

    /// The names of an entry and its lease, in one slot of a cluster. `subject` has no braces.
    pub(super) fn slot(&self, subject: &str) -> super::Slot {
        let begins = &self.entries;
        let mut entry = Vec::with_capacity(begins.len() + subject.len() + 1);
        entry.extend_from_slice(begins);
        entry.extend_from_slice(subject.as_bytes());
        entry.push(b'}');
        super::Slot {
            entry,
            // Before `:{`.
            kind: begins.len().checked_sub(3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Names;
    use crate::error::ErrorKind;

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
            names.slot("books/0:book:7").lease(),
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
