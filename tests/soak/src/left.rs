//! What a run leaves in the server: every key must have a time to live, or be one of the log's; no
//! lease, no mark, and no connection may stay.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use afresh_test_support::Reply;

use crate::fleet::PREFIX;
use crate::gauge::Gauge;

/// As long as a lease lasts, and some.
const PATIENCE: Duration = Duration::from_secs(25);

/// What is left.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Keys with a time to live, by kind.
    pub(crate) timed: BTreeMap<&'static str, u64>,
    /// The log's keys, and how many bytes each takes.
    pub(crate) log: BTreeMap<String, u64>,
    /// Keys that stay for ever and are none of the log's.
    pub(crate) eternal: Vec<String>,
    /// How many leases there were at first, and how long it took until there were none; nothing where
    /// some stayed.
    pub(crate) leases: (u64, Option<Duration>),
    pub(crate) marks: u64,
    /// How many connections there are more than before.
    pub(crate) clients: u64,
}

/// Looks at all of it, once the caches are closed.
pub(crate) async fn left(gauge: &mut Gauge, clients_before: u64) -> Left {
    let began = Instant::now();
    let mut left = look(gauge);
    let first = left.leases.0;
    while left.timed.contains_key("lease") && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(50)).await;
        left = look(gauge);
    }
    let gone = !left.timed.contains_key("lease");
    left.leases = (first, gone.then(|| began.elapsed()));
    left.clients = gauge.read().clients.saturating_sub(clients_before);
    left
}

fn look(gauge: &mut Gauge) -> Left {
    let mut left = Left::default();
    let log = format!("{{{PREFIX}}}:afresh:");
    let mut cursor = b"0".to_vec();
    loop {
        let mut reply = gauge.ask(&[b"SCAN", &cursor, b"COUNT", b"1000"]).list();
        let keys = reply.pop().map(Reply::list).unwrap_or_default();
        for key in keys.into_iter().filter_map(Reply::bytes) {
            left.take(gauge, &log, &key);
        }
        cursor = reply.pop().and_then(Reply::bytes).unwrap_or_default();
        if cursor == b"0" || cursor.is_empty() {
            break;
        }
    }
    left.leases.0 = left.timed.get("lease").copied().unwrap_or_default();
    let marks = format!("{log}1:marks");
    // One of its fields is the sentinel.
    left.marks = number(&gauge.ask(&[b"HLEN", marks.as_bytes()])).saturating_sub(1);
    left
}

impl Left {
    fn take(&mut self, gauge: &mut Gauge, log: &str, key: &[u8]) {
        let name = String::from_utf8_lossy(key).into_owned();
        // -1: it stays; -2: it has gone since it was named.
        match gauge.ask(&[b"PTTL", key]).int() {
            -2 => {}
            -1 if name.starts_with(log) => {
                let bytes = number(&gauge.ask(&[b"MEMORY", b"USAGE", key, b"SAMPLES", b"0"]));
                self.log.insert(name, bytes);
            }
            -1 => self.eternal.push(name),
            _ => *self.timed.entry(kind(&name)).or_default() += 1,
        }
    }
}

fn number(reply: &Reply) -> u64 {
    match reply {
        Reply::Int(number) => number.unsigned_abs(),
        _ => 0,
    }
}

/// What a key with a time to live is.
fn kind(name: &str) -> &'static str {
    let is = |part| name.starts_with(&format!("{PREFIX}:afresh:1:{part}:"));
    if is("e") {
        "entry"
    } else if is("l") {
        "lease"
    } else {
        "other"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_by_its_name() {
        assert_eq!(kind("soak:afresh:1:e:{a/0/1:7}"), "entry");
        assert_eq!(kind("soak:afresh:1:l:{a/0/1:7}"), "lease");
        assert_eq!(kind("{soak}:afresh:1:probe:x"), "other");
    }
}
