//! A server's process: its executable, its folder, its settings, its port. What is done with it once
//! it runs is in `server`.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::process::{Watchdog, reap};
use crate::resp::{Client, Reply};
use crate::rights;
use crate::wait::{PATIENCE, within};

/// How to get a server where there is none.
pub const INSTALL: &str = "  Debian, Ubuntu:  apt-get install redis-server
  Fedora:          dnf install valkey
  Arch:            pacman -S valkey
  macOS:           brew install redis";

/// The file of settings, in the server's folder.
const CONFIG: &str = "server.conf";

/// How far a server's second port is from its first: for a cluster's bus this is the server's own
/// rule.
pub(crate) const SECOND: u16 = 10_000;

/// What a server is started with, each time.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    /// The text of a file of settings, which the server may change.
    pub(crate) config: Option<String>,
    pub(crate) arguments: Vec<String>,
    /// Whether it is a node of a cluster, which needs a second port.
    pub(crate) bus: bool,
    /// Whether it has a second port, for TLS.
    pub(crate) tls: bool,
    /// Whether it has the user of `rights`.
    pub(crate) user: bool,
}

impl Setup {
    pub(crate) fn with(arguments: &[&str]) -> Self {
        Self {
            arguments: arguments.iter().map(ToString::to_string).collect(),
            user: rights::apply(arguments),
            ..Self::default()
        }
    }

    /// Writes the file of settings, once: what the server writes there later is kept.
    pub(crate) fn prepare(&self, folder: &Folder) {
        if let Some(text) = &self.config {
            // A server that rewrites the file has the user in it: given twice, it is refused.
            let rules: Vec<_> = rights::rules(self.bus).collect();
            let user = format!("user {}\n", rules.join(" "));
            let text = if self.user { user + text } else { text.clone() };
            fs::write(folder.path().join(CONFIG), text).expect("a file in the server's folder");
        }
    }

    fn tls_port(&self, port: u16) -> Vec<String> {
        let arguments = ["--tls-port".to_owned(), (port + SECOND).to_string()];
        if self.tls {
            arguments.into()
        } else {
            Vec::new()
        }
    }

    /// What names the user, where the file of settings does not.
    fn user(&self) -> Vec<&'static str> {
        let mut words = Vec::new();
        if self.user && self.config.is_none() {
            words.push("--user");
            words.extend(rights::rules(self.bus));
        }
        words
    }

    pub(crate) fn pick_port(&self) -> u16 {
        let second_free = |port: &u16| {
            let second = port.checked_add(SECOND);
            second.is_some_and(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        };
        // Each attempt gives another port.
        let mut ports = (0..1_000).map(|_| free_port());
        let port = ports.find(|port| !(self.bus || self.tls) || second_free(port));
        port.expect("no two ports are free at the distance that is needed")
    }
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) watchdog: Watchdog,
}

/// A server's own folder, removed with it.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The end of the server's log, for a failure's message.
    pub(crate) fn last_words(&self) -> String {
        let log = fs::read_to_string(self.0.join("server.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(8).collect();
        let lines: Vec<_> = lines.into_iter().rev().collect();
        format!("its log ends with:\n{}", lines.join("\n"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the system's temporary folder harms nobody.
        if env::var_os("KEEP").is_none() {
            let _ = fs::remove_dir_all(&self.0);
        }
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
pub(crate) fn launch(port: u16, folder: &Folder, setup: &Setup) -> Option<Process> {
    let child = Command::new(executable())
        // A file of settings comes before everything else.
        .args(setup.config.as_ref().map(|_| CONFIG))
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .args(["--logfile", "server.log", "--dir", "."])
        // A replica is served at once, not five seconds later together with others.
        .args(["--repl-diskless-sync-delay", "0"])
        .args(setup.tls_port(port))
        .args(setup.user())
        .args(&setup.arguments)
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
        folder.last_words()
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
