//! The Python systems that users come from: a process each, which measures on orders.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What each is called in the tables, and to its process.
pub(crate) const SYSTEMS: [(&str, &str); 3] = [
    ("relaycache (Python)", "relaycache"),
    ("cashews (Python)", "cashews"),
    ("django-cacheops (Python)", "cacheops"),
];

/// A process; ended when it is dropped.
pub(crate) struct Python {
    pub(crate) subject: &'static str,
    child: Child,
    pipes: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Python {
    /// Starts them all, where this program was told of a Python (`--python PATH`) that has them.
    pub(crate) fn all(url: &str) -> Vec<Self> {
        let Some(python) = afresh_measure::option("--python") else {
            return Vec::new();
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../python/shelf.py");
        let start = |(subject, name)| {
            let mut child = Command::new(&python)
                .args([script, name, url])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("a Python");
            let orders = child.stdin.take().expect("piped");
            let answers = BufReader::new(child.stdout.take().expect("piped"));
            let python = Self {
                subject,
                child,
                pipes: RefCell::new((orders, answers)),
            };
            assert_eq!(python.hear(), "ready");
            python
        };
        SYSTEMS.into_iter().map(start).collect()
    }

    fn hear(&self) -> String {
        let mut line = String::new();
        let read = self.pipes.borrow_mut().1.read_line(&mut line);
        assert!(
            read.is_ok_and(|read| read > 0),
            "{} has ended",
            self.subject
        );
        line.trim_end().to_owned()
    }

    /// The figure that an order comes to.
    pub(crate) fn order(&self, order: &str) -> f64 {
        writeln!(self.pipes.borrow_mut().0, "{order}").expect("a process");
        self.hear().parse().expect("a figure")
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
