//! A real server of a test's own: on a free port, in a folder of its own, without persistence,
//! gone with the test however that ends. It never talks to a server that it did not start.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::certs::Certs;
use crate::launch::{Folder, Process, SECOND, Setup, launch};
use crate::monitor::Monitor;
use crate::process::{halt, reap, signal};
use crate::resp::{Client, Reply};
use crate::rights::LOGIN;
use crate::wait::{PATIENCE, eventually, within};

/// Ports taken by someone else between picking and binding: more than this is no accident.
const ATTEMPTS: u32 = 20;

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// `SIGKILL`: it has no time for anything.
    Kill,
    /// `SIGTERM`: it shuts down in order.
    Terminate,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    port: u16,
    folder: Folder,
    setup: Setup,
    halted: AtomicBool,
    process: Mutex<Option<Process>>,
}

impl Server {
    /// Starts a server of this caller's own.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with more arguments, e.g. `&["--maxmemory", "10mb"]`.
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::set_up(Setup::with(arguments))
    }

    /// Starts a server that takes connections with TLS too, and does not ask for a certificate of
    /// the client's.
    #[must_use]
    pub fn start_tls(certs: &Certs) -> Self {
        Self::start_tls_with(certs, &["--tls-auth-clients", "no"])
    }

    /// Starts a server that takes connections with TLS too, with more arguments, e.g.
    /// `&["--tls-auth-clients", "yes"]`.
    #[must_use]
    pub fn start_tls_with(certs: &Certs, arguments: &[&str]) -> Self {
        let path = |path: PathBuf| {
            path.into_os_string()
                .into_string()
                .expect("a path in UTF-8")
        };
        let files = [certs.server_cert(), certs.server_key(), certs.ca()].map(path);
        let names = ["--tls-cert-file", "--tls-key-file", "--tls-ca-cert-file"];
        let files = names
            .iter()
            .zip(&files)
            .flat_map(|(name, file)| [*name, file]);
        let arguments: Vec<_> = files.chain(arguments.iter().copied()).collect();
        Self::set_up(Setup {
            tls: true,
            ..Setup::with(&arguments)
        })
    }

    /// Starts a server that follows `primary`, and waits until its copy is complete.
    #[must_use]
    pub fn replica_of(primary: &Self) -> Self {
        let port = primary.port.to_string();
        let replica = Self::start_with(&["--replicaof", "127.0.0.1", &port]);
        primary.await_copy(&replica);
        replica
    }

    /// Starts a server on the first port that is free for it.
    pub(crate) fn set_up(setup: Setup) -> Self {
        let folder = Folder::new();
        setup.prepare(&folder);
        for _ in 0..ATTEMPTS {
            let port = setup.pick_port();
            if let Some(process) = launch(port, &folder, &setup) {
                return Self {
                    port,
                    folder,
                    setup,
                    halted: AtomicBool::new(false),
                    process: Mutex::new(Some(process)),
                };
            }
        }
        let hint = if setup.tls {
            " (or this server was built without TLS)"
        } else {
            ""
        };
        panic!(
            "no server could be started on {ATTEMPTS} ports in turn{hint}; {}",
            folder.last_words()
        );
    }

    /// One server for all tests of this process that keep apart by their key prefix. It must not
    /// be stopped, paused or flushed.
    #[must_use]
    pub fn shared() -> &'static Self {
        // Never dropped: the watchdog ends it with this process.
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// `redis://user:password@127.0.0.1:port`, with a slash at its end. The user has the least
    /// rights that the cache needs. A server that was started with a password or with users of the
    /// test's own has no such user, and its URL none.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}127.0.0.1:{}/", self.login(), self.port)
    }

    /// `redis://127.0.0.1:port`, with a slash at its end: for the default user, who may do all.
    #[must_use]
    pub fn plain_url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// As [`url`](Self::url), for the port with TLS; fails the test where there is none.
    #[track_caller]
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("rediss://{}127.0.0.1:{}/", self.login(), self.tls_port())
    }

    /// The port with TLS; fails the test where there is none.
    #[track_caller]
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        assert!(self.setup.tls, "the server was started without TLS");
        self.port + SECOND
    }

    /// The user's part of the URL.
    pub(crate) fn login(&self) -> &'static str {
        if self.setup.user { LOGIN } else { "" }
    }

    /// The port, the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process; fails the test where it is stopped.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.lock()
            .as_ref()
            .expect("the server is stopped")
            .child
            .id()
    }

    /// Stops the server and waits until it is gone. Nothing where it is stopped already.
    pub fn stop(&self, how: Stop) {
        if let Some(Process {
            mut child,
            watchdog,
        }) = self.lock().take()
        {
            drop(watchdog);
            match how {
                Stop::Kill => child.kill().expect("SIGKILL to the server"),
                Stop::Terminate => {
                    signal(child.id(), "TERM");
                    signal(child.id(), "CONT");
                }
            }
            reap(&mut child);
            self.halted.store(false, Ordering::Relaxed);
        }
    }

    /// Whether it runs and is not halted.
    #[must_use]
    pub fn serves(&self) -> bool {
        let mut process = self.lock();
        let runs = |process: &mut Process| matches!(process.child.try_wait(), Ok(None));
        process.as_mut().is_some_and(runs) && !self.halted.load(Ordering::Relaxed)
    }

    /// Starts the server again on the same port, killing it first where it runs. Its data is gone,
    /// unless it was started with arguments that keep it.
    pub fn restart(&self) {
        self.stop(Stop::Kill);
        let mut process = self.lock();
        let up = within(PATIENCE, || {
            *process = launch(self.port, &self.folder, &self.setup);
            process.is_some()
        });
        assert!(
            up,
            "the server did not come back on port {}; {}",
            self.port,
            self.folder.last_words()
        );
    }

    /// Halts the server: connections stay open, nothing is answered.
    pub fn pause(&self) {
        self.halted.store(true, Ordering::Relaxed);
        halt(self.pid());
    }

    /// Lets a halted server go on.
    pub fn resume(&self) {
        signal(self.pid(), "CONT");
        self.halted.store(false, Ordering::Relaxed);
    }

    /// Waits until a replica of this server is linked to it and has all of its writes.
    #[track_caller]
    pub fn await_copy(&self, replica: &Self) {
        eventually("the replication", || {
            let says = |server: &Self, name| server.replication()?.remove(name);
            says(replica, "master_link_status").is_some_and(|link| link == "up")
                && says(replica, "slave_repl_offset") == says(self, "master_repl_offset")
        });
    }

    /// A new connection; fails the test where the server does not take it.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::connect(self.port).unwrap_or_else(|error| {
            panic!(
                "the server on port {} takes no connection: {error}",
                self.port
            )
        })
    }

    /// Runs one command on a new connection; an error of the server's is a reply.
    #[track_caller]
    #[must_use]
    pub fn command(&self, words: &[&[u8]]) -> Reply {
        match self.client().command(words) {
            Ok(reply) => reply,
            Err(error) => panic!("no answer from the server on port {}: {error}", self.port),
        }
    }

    /// Runs one command and shows its reply as text, one element per line, `(nil)` for nothing;
    /// an error of the server's fails the test.
    #[track_caller]
    pub fn cli(&self, words: &[&str]) -> String {
        let bytes: Vec<_> = words.iter().map(|word| word.as_bytes()).collect();
        let reply = self.command(&bytes);
        assert!(!reply.is_error(), "`{}`: {reply}", words.join(" "));
        reply.to_string()
    }

    /// A section of `INFO`.
    #[track_caller]
    #[must_use]
    pub fn info(&self, section: &str) -> BTreeMap<String, String> {
        fields(&self.cli(&["INFO", section]))
    }

    /// What it says of its replication; nothing where the connection is cut meanwhile, as servers
    /// and sentinels do with clients when a server's place changes.
    pub(crate) fn replication(&self) -> Option<BTreeMap<String, String>> {
        let mut client = Client::connect(self.port).ok()?;
        let reply = client.command(&["INFO", "replication"]).ok()?;
        Some(fields(&reply.to_string()))
    }

    /// How often each command has been called since the start or [`reset_stats`](Self::reset_stats),
    /// those inside scripts included. Names are lower-case, a subcommand's is `client|tracking`.
    #[track_caller]
    #[must_use]
    pub fn commandstats(&self) -> BTreeMap<String, u64> {
        let calls = |(name, value): (String, String)| {
            let calls = value
                .strip_prefix("calls=")?
                .split(',')
                .next()?
                .parse()
                .ok()?;
            Some((name.strip_prefix("cmdstat_")?.to_owned(), calls))
        };
        self.info("commandstats")
            .into_iter()
            .filter_map(calls)
            .collect()
    }

    /// Sets the counts of [`commandstats`](Self::commandstats) to zero.
    #[track_caller]
    pub fn reset_stats(&self) {
        self.cli(&["CONFIG", "RESETSTAT"]);
    }

    /// Watches every command from now on.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        Monitor::on(self.port)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fields(info: &str) -> BTreeMap<String, String> {
    let fields = info.lines().filter_map(|line| line.split_once(':'));
    fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(Process {
            mut child,
            watchdog,
        }) = self.lock().take()
        {
            drop(watchdog);
            // A test that is failing already must not fail a second time here.
            let _ = child.kill();
            reap(&mut child);
        }
    }
}
