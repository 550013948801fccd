//! A process of a fleet: this program again, which takes orders over its input and answers over its
//! output, line by line; and the clock that all of them share.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// Ended when it is dropped.
pub(crate) struct Process {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts one, and waits until it is ready.
    pub(crate) fn start(role: &str, url: &str) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args(["--role", role, "--redis", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let orders = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut process = Self {
            child,
            orders,
            answers,
        };
        assert_eq!(process.hear(), "ready");
        process
    }

    pub(crate) fn say(&mut self, order: &str) {
        writeln!(self.orders, "{order}").expect("a process");
    }

    /// # Panics
    ///
    /// Where it has ended.
    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).expect("a pipe");
        assert!(read > 0, "a process has ended by itself");
        line.trim_end().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says something to who has started this process.
pub(crate) fn answer(line: &str) {
    println!("{line}");
}

/// The orders that this process is given, until there are no more.
pub(crate) fn orders() -> impl Iterator<Item = String> {
    std::io::stdin().lines().map_while(Result::ok)
}

/// Nanoseconds by the clock that all processes of the machine share.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.expect("after 1970").as_nanos()).expect("before 2554")
}
