//! What is read at each moment: of this process from `/proc`, of the runtime from Tokio's metrics, of
//! the caches from their counters, of the server from what it says of itself.

use std::fs;

use afresh::Cache;
use afresh_test_support::{Client, Server};
use tokio::runtime::Handle;

/// One reading.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    /// How many calls had been made.
    pub(crate) calls: u64,
    /// Resident memory, in bytes.
    pub(crate) memory: u64,
    /// Open file descriptors.
    pub(crate) files: u64,
    pub(crate) threads: u64,
    /// Tasks of the runtime that have not ended, but for those that compute in the background.
    pub(crate) tasks: u64,
    /// Computes in the background.
    pub(crate) background: u64,
    /// Values in the local tiers.
    pub(crate) local: u64,
    pub(crate) server: Option<ServerSample>,
}

/// What a server says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ServerSample {
    pub(crate) keys: u64,
    /// In bytes.
    pub(crate) memory: u64,
    pub(crate) clients: u64,
    /// Clients that wait.
    pub(crate) blocked: u64,
}

impl Sample {
    /// Reads all that is not the server's.
    pub(crate) fn read(calls: u64, caches: &[Cache]) -> Self {
        let stats: Vec<_> = caches.iter().map(Cache::stats).collect();
        let background = stats.iter().map(|stats| stats.background).sum();
        let status = fs::read_to_string("/proc/self/status").expect("Linux's /proc");
        let files = fs::read_dir("/proc/self/fd").expect("Linux's /proc");
        let tasks = Handle::current().metrics().num_alive_tasks() as u64;
        Self {
            calls,
            memory: field(&status, "VmRSS:") * 1_024,
            // But for the one that reads them.
            files: files.count() as u64 - 1,
            threads: field(&status, "Threads:"),
            tasks: tasks.saturating_sub(background),
            background,
            local: stats.iter().map(|stats| stats.local_entries).sum(),
            server: None,
        }
    }
}

/// The number that stands behind a name at the beginning of a line.
fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let word = line.and_then(|line| line.split_whitespace().next());
    word.and_then(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("no number behind `{name}` in\n{status}"))
}

/// A connection that stays, for reading a server.
#[derive(Debug)]
pub(crate) struct Gauge(Client);

impl Gauge {
    pub(crate) fn on(server: &Server) -> Self {
        Self(server.client())
    }

    /// One command; an error of the server's ends the soak.
    pub(crate) fn ask(&mut self, words: &[&[u8]]) -> afresh_test_support::Reply {
        let reply = self.0.command(words).expect("an answer from the server");
        assert!(!reply.is_error(), "{reply}");
        reply
    }

    pub(crate) fn read(&mut self) -> ServerSample {
        let info =
            |of: &mut Self, section: &str| of.ask(&[b"INFO", section.as_bytes()]).to_string();
        let clients = info(self, "clients");
        ServerSample {
            keys: self.ask(&[b"DBSIZE"]).int().unsigned_abs(),
            memory: field(&info(self, "memory"), "used_memory:"),
            clients: field(&clients, "connected_clients:"),
            blocked: field(&clients, "blocked_clients:"),
        }
    }

    /// Ends every other connection.
    pub(crate) fn cut_all(&mut self) {
        let _ = self.ask(&[b"CLIENT", b"KILL", b"TYPE", b"normal"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_whole() {
        let status = "Name:\tsoak\nVmRSS:\t    1234 kB\nThreads:\t7\n";
        assert_eq!(field(status, "VmRSS:"), 1_234);
        assert_eq!(field(status, "Threads:"), 7);
        assert_eq!(
            field("used_memory_rss:5\r\nused_memory:9\r\n", "used_memory:"),
            9
        );
    }
}
