//! A real server of a test's own: on a free port, in a folder of its own, without persistence,
//! gone with the test however that ends. It never talks to a server that it did not start.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::monitor::Monitor;
use crate::process::{Watchdog, halt, reap, signal};
use crate::resp::{Client, Reply};
use crate::wait::{PATIENCE, within};

/// How to get a server where there is none.
pub const INSTALL: &str = "  Debian, Ubuntu:  apt-get install redis-server
  Fedora:          dnf install valkey
  Arch:            pacman -S valkey
  macOS:           brew install redis";

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
    arguments: Vec<String>,
    process: Mutex<Option<Process>>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    watchdog: Watchdog,
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
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let folder = Folder::new();
        for _ in 0..ATTEMPTS {
            let port = free_port();
            if let Some(process) = launch(port, &folder, &arguments) {
                let process = Mutex::new(Some(process));
                return Self {
                    port,
                    folder,
                    arguments,
                    process,
                };
            }
        }
        panic!(
            "no server could be started on {ATTEMPTS} ports in turn; {}",
            last_words(&folder)
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

    /// `redis://127.0.0.1:port`, with a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
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
        }
    }

    /// Starts the server again on the same port, killing it first where it runs. Its data is gone,
    /// unless it was started with arguments that keep it.
    pub fn restart(&self) {
        self.stop(Stop::Kill);
        let mut process = self.lock();
        let up = within(PATIENCE, || {
            *process = launch(self.port, &self.folder, &self.arguments);
            process.is_some()
        });
        assert!(
            up,
            "the server did not come back on port {}; {}",
            self.port,
            last_words(&self.folder)
        );
    }

    /// Halts the server: connections stay open, nothing is answered.
    pub fn pause(&self) {
        halt(self.pid());
    }

    /// Lets a halted server go on.
    pub fn resume(&self) {
        signal(self.pid(), "CONT");
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
        let text = self.cli(&["INFO", section]);
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
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

/// A server's own folder, removed with it.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("afresh-test-{}-{count}", std::process::id()));
        // A process of the same number may have left one behind.
        let _ = fs::remove_dir_all(&path);
        match fs::create_dir_all(&path) {
            Ok(()) => Self(path),
            Err(error) => panic!("no folder {}: {error}", path.display()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the system's temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The server's executable: what `AFRESH_TEST_SERVER` names, else what is on `PATH`.
#[must_use]
pub fn find_server() -> Option<PathBuf> {
    let named = env::var_os("AFRESH_TEST_SERVER").map(PathBuf::from);
    named.or_else(|| find_server_in(&env::var_os("PATH")?))
}

/// `redis-server`, else `valkey-server`, in the first folder of `path` that has it.
#[must_use]
pub fn find_server_in(path: &OsStr) -> Option<PathBuf> {
    let find = |name| {
        env::split_paths(path)
            .map(move |folder| folder.join(name))
            .find(|file| file.is_file())
    };
    find("redis-server").or_else(|| find("valkey-server"))
}

fn executable() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        find_server().unwrap_or_else(|| {
            panic!(
                "there is neither `redis-server` nor `valkey-server` on PATH. This test needs a \
                 real server and is never skipped. Install one:\n{INSTALL}\n\
                 or name its executable in AFRESH_TEST_SERVER"
            )
        })
    })
}

/// Starts a server and waits until it answers; `None` where it ended instead, most likely because
/// someone else has the port.
fn launch(port: u16, folder: &Folder, arguments: &[String]) -> Option<Process> {
    let child = Command::new(executable())
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .args(["--logfile", "server.log", "--dir", "."])
        .args(arguments)
        .current_dir(&folder.0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    let child = child.unwrap_or_else(|error| {
        panic!("`{}` could not be started: {error}", executable().display())
    });
    let watchdog = Watchdog::over(child.id(), &folder.0);
    let mut process = Process { child, watchdog };
    let mut gone = false;
    let up = within(PATIENCE, || {
        gone = !matches!(process.child.try_wait(), Ok(None));
        gone || answers(port, process.child.id())
    });
    if up && !gone {
        return Some(process);
    }
    drop(process.watchdog);
    let _ = process.child.kill();
    reap(&mut process.child);
    assert!(
        gone,
        "the server on port {port} did not answer in time; {}",
        last_words(folder)
    );
    None
}

/// Whether *our* server answers: another may have taken the port in between, and would answer
/// `PING` just as well.
fn answers(port: u16, pid: u32) -> bool {
    let ask = |words: &[&str]| -> io::Result<Reply> { Client::connect(port)?.command(words) };
    match ask(&["PING"]) {
        Ok(Reply::Status(_)) => ask(&["INFO", "server"]).is_ok_and(|info| {
            info.to_string()
                .lines()
                .any(|line| line == format!("process_id:{pid}"))
        }),
        // Started with a password: there is no telling whose it is, but it is up.
        Ok(Reply::Error(error)) => error.starts_with("NOAUTH"),
        _ => false,
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener
        .local_addr()
        .expect("the port of a bound socket")
        .port()
}

/// The end of the server's log, for a failure's message.
fn last_words(folder: &Folder) -> String {
    let log = fs::read_to_string(folder.0.join("server.log")).unwrap_or_default();
    let lines: Vec<_> = log.lines().rev().take(8).collect();
    let lines: Vec<_> = lines.into_iter().rev().collect();
    format!("its log ends with:\n{}", lines.join("\n"))
}
