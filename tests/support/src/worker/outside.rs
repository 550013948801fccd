//! The test's side of the line: starting, steering and killing a worker. Every wait has an end,
//! and every failure shows what the worker printed.

use std::fmt::Display;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{env, thread};

use super::{MARK, READY, VARIABLE};
use crate::process::{halt, reap, signal};
use crate::wait::{PATIENCE, within};

/// A process that runs one test of this executable.
#[derive(Debug)]
pub struct Worker {
    name: String,
    child: Child,
    orders: Option<ChildStdin>,
    answers: Receiver<String>,
    printed: Arc<Mutex<Vec<String>>>,
    listeners: [JoinHandle<()>; 2],
}

impl Worker {
    /// Starts the test of this name (with its modules, as `cargo test` prints it) as a process.
    #[track_caller]
    #[must_use]
    pub fn spawn(test: &str) -> Self {
        Self::spawn_with(test, &[])
    }

    /// Starts it with more environment variables, e.g. `&[("AFRESH_URL", &server.url())]`. Those
    /// that configure afresh are not inherited.
    #[track_caller]
    #[must_use]
    pub fn spawn_with(test: &str, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env::current_exe().expect("the path of this executable"))
            .args([test, "--exact", "--nocapture"])
            .env_remove("AFRESH_URL")
            .env_remove("AFRESH_PREFIX")
            .env_remove("AFRESH_DISABLE")
            .env(VARIABLE, test)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("the worker `{test}` could not be started: {error}"));
        let printed = Arc::default();
        let (sender, answers) = channel();
        let listeners = [
            listen(child.stdout.take(), &printed, Some(sender)),
            listen(child.stderr.take(), &printed, None),
        ];
        let orders = child.stdin.take();
        let mut worker = Self {
            name: test.to_owned(),
            child,
            orders,
            answers,
            printed,
            listeners,
        };
        match worker.hear_within(PATIENCE) {
            Some(line) if line == READY => worker,
            _ => worker.fail("it did not call `Steer::take()`; is there a test of that name?"),
        }
    }

    /// Gives an order: one line.
    #[track_caller]
    pub fn say(&mut self, line: impl Display) {
        let line = format!("{line}\n");
        assert_eq!(line.lines().count(), 1, "an order is one line");
        let orders = self
            .orders
            .as_mut()
            .expect("the worker is finished or killed");
        if orders.write_all(line.as_bytes()).is_err() {
            self.fail("it takes no orders any more");
        }
    }

    /// Waits for the next answer and fails the test where it is not this one.
    #[track_caller]
    pub fn expect(&mut self, line: &str) {
        let heard = self.hear();
        if heard != line {
            self.fail(&format!("expected {line:?}, it said {heard:?}"));
        }
    }

    /// Waits for the next answer; fails the test where none comes.
    #[track_caller]
    #[must_use]
    pub fn hear(&mut self) -> String {
        match self.hear_within(PATIENCE) {
            Some(line) => line,
            None => self.fail("it said nothing more"),
        }
    }

    /// The next answer, where one comes in time.
    #[must_use]
    pub fn hear_within(&mut self, limit: Duration) -> Option<String> {
        self.answers.recv_timeout(limit).ok()
    }

    /// Gives an order and waits for its answer.
    #[track_caller]
    #[must_use]
    pub fn ask(&mut self, line: impl Display) -> String {
        self.say(line);
        self.hear()
    }

    /// The worker's process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Halts the process: as a suspended machine, or one that swaps.
    pub fn pause(&self) {
        halt(self.pid());
    }

    /// Lets a halted process go on.
    pub fn resume(&self) {
        signal(self.pid(), "CONT");
    }

    /// Kills the process (`SIGKILL`) and waits until it is gone. What it said before can still be
    /// heard.
    pub fn kill(&mut self) {
        self.orders = None;
        // It may have ended by itself.
        let _ = self.child.kill();
        reap(&mut self.child);
    }

    /// Tells the worker that there are no more orders, and waits until its test has passed.
    #[track_caller]
    pub fn finish(mut self) {
        self.orders = None;
        if !within(PATIENCE, || !matches!(self.child.try_wait(), Ok(None))) {
            self.fail("it does not end");
        }
        match self.child.wait() {
            Ok(status) if status.success() => {}
            Ok(status) => self.fail(&format!("it ended with {status}")),
            Err(error) => self.fail(&error.to_string()),
        }
    }

    #[track_caller]
    fn fail(&mut self, why: &str) -> ! {
        self.kill();
        // What it printed last may still be on its way; a process of its own may hold the pipe.
        within(Duration::from_secs(1), || {
            self.listeners.iter().all(JoinHandle::is_finished)
        });
        let printed = self
            .printed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .join("\n  ");
        panic!("worker `{}`: {why}; it printed:\n  {printed}", self.name);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads what a worker prints on a thread that ends with it.
fn listen(
    from: Option<impl Read + Send + 'static>,
    printed: &Arc<Mutex<Vec<String>>>,
    answers: Option<Sender<String>>,
) -> JoinHandle<()> {
    let printed = Arc::clone(printed);
    let from = BufReader::new(from.expect("a piped stream"));
    thread::spawn(move || {
        for line in from.lines().map_while(Result::ok) {
            if let (Some(answer), Some(answers)) = (line.strip_prefix(MARK), &answers) {
                // Nobody listens once the worker is dropped.
                let _ = answers.send(answer.to_owned());
            }
            if !line.is_empty() {
                printed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
            }
        }
    })
}
