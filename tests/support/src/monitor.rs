//! Every command that a server runs, as its `MONITOR` tells it: for tests that count round trips.
//! A server that is watched is slower; nothing here is for measuring time.

use std::io::BufRead as _;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::resp::{Client, Reply};
use crate::wait::eventually;

/// One command that the server ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The client's address, or `lua` for a command inside a script.
    pub from: String,
    /// The command and its arguments; bytes that are not printable as the server escapes them.
    pub words: Vec<String>,
}

/// The commands that a server has run since this was made.
#[derive(Debug)]
pub struct Monitor {
    port: u16,
    marks: std::cell::Cell<u32>,
    seen: Arc<Mutex<Vec<Seen>>>,
    socket: TcpStream,
    reader: Option<JoinHandle<()>>,
}

impl Monitor {
    pub(crate) fn on(port: u16) -> Self {
        let mut client = Client::connect(port).expect("the server accepts no connection");
        let reply = client.command(&["MONITOR"]).expect("no answer to MONITOR");
        assert_eq!(reply, Reply::Status("OK".into()));
        let stream = client.into_stream();
        let socket = stream
            .get_ref()
            .try_clone()
            .expect("a second handle on a socket");
        socket
            .set_read_timeout(None)
            .expect("a socket without a timeout");
        let seen = Arc::default();
        let reader = thread::spawn({
            let seen = Arc::clone(&seen);
            move || {
                for line in stream.lines().map_while(Result::ok) {
                    lock(&seen).extend(parse(&line));
                }
            }
        });
        Self {
            port,
            marks: std::cell::Cell::new(0),
            seen,
            socket,
            reader: Some(reader),
        }
    }

    /// What has been run so far, in order, up to a moment after this was called.
    #[must_use]
    pub fn commands(&self) -> Vec<Seen> {
        // The monitor's lines are sent when the server gets to it: only a mark of our own tells
        // that everything before it has arrived.
        self.marks.set(self.marks.get() + 1);
        let mark = format!("monitor-mark-{}-{}", std::process::id(), self.marks.get());
        let mut client = Client::connect(self.port).expect("the server accepts no connection");
        client.command(&["ECHO", &mark]).expect("no answer to ECHO");
        eventually("the monitor's own mark", || {
            lock(&self.seen).iter().any(|seen| is(seen, &mark))
        });
        let seen = lock(&self.seen);
        let end = seen
            .iter()
            .position(|seen| is(seen, &mark))
            .unwrap_or(seen.len());
        seen[..end]
            .iter()
            .filter(|seen| !is_mark(seen))
            .cloned()
            .collect()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // Already closed where the server is gone.
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

fn is(seen: &Seen, mark: &str) -> bool {
    seen.words.iter().map(String::as_str).eq(["ECHO", mark])
}

fn is_mark(seen: &Seen) -> bool {
    seen.words
        .get(1)
        .is_some_and(|word| word.starts_with("monitor-mark-"))
}

/// Reads `1700000000.123456 [0 127.0.0.1:50000] "GET" "a"`.
fn parse(line: &str) -> Option<Seen> {
    let (head, words) = line.split_once("] ")?;
    let (_, from) = head.split_once('[')?.1.split_once(' ')?;
    let mut rest = words;
    let mut words = Vec::new();
    while let Some(quoted) = rest.strip_prefix('"') {
        let end = end_of_word(quoted)?;
        words.push(quoted[..end].replace("\\\"", "\"").replace("\\\\", "\\"));
        rest = quoted[end + 1..].trim_start();
    }
    Some(Seen {
        from: from.to_owned(),
        words,
    })
}

fn end_of_word(quoted: &str) -> Option<usize> {
    let mut escaped = false;
    quoted.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

fn lock(seen: &Mutex<Vec<Seen>>) -> MutexGuard<'_, Vec<Seen>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let seen = parse(r#"1.5 [0 127.0.0.1:5] "SET" "a \" b" "\x00] \\" ""#);
        assert_eq!(seen, None, "an unclosed word is no line");
        let seen = parse(r#"1.5 [0 lua] "SET" "a \" b" "\x00] \\" """#).expect("a line");
        assert_eq!(seen.from, "lua");
        assert_eq!(seen.words, ["SET", "a \" b", "\\x00] \\", ""]);
    }

    #[test]
    fn what_is_no_command_is_left_out() {
        assert_eq!(parse("OK"), None);
        assert_eq!(parse(""), None);
    }
}
