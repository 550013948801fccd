//! Signals, bounded reaping, and a watchdog that outlives this process. All by the shell: the
//! standard library has no signals, and `kill` as a program is missing on small systems.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::wait::{PATIENCE, within};

/// Sends the signal of this name (`KILL`, `TERM`, `STOP`, `CONT`).
pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("sh")
        .args(["-c", "kill -\"$1\" \"$2\"", "kill", name, &pid.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the tests need a shell (`sh`) to send signals");
    assert!(
        status.success(),
        "could not send SIG{name} to process {pid}"
    );
}

/// Stops a process, and waits until every thread of it stands still: the signal alone returns while
/// some still run, and they would answer once more.
pub(crate) fn halt(pid: u32) {
    signal(pid, "STOP");
    let halted = within(PATIENCE, || threads(pid).iter().all(|state| *state == 'T'));
    assert!(halted, "process {pid} does not stand still");
}

/// The states of a process's threads; none where the system does not tell, as on macOS.
fn threads(pid: u32) -> Vec<char> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let state = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("stat")).ok()?;
        // After the name, which stands in brackets and may hold any of them itself.
        stat.rsplit_once(')')?.1.trim_start().chars().next()
    };
    tasks.flatten().filter_map(state).collect()
}

/// Waits for the end of a child that was told to end; kills it where it takes too long.
pub(crate) fn reap(child: &mut Child) {
    let ended = within(PATIENCE, || !matches!(child.try_wait(), Ok(None)));
    if !ended {
        // It was asked and did not go; nothing is left to learn from an error here.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Kills a process and removes its folder when *this* process ends in a way that runs no
/// destructor: a second interrupt, an abort, `SIGKILL` from a test runner, a `static`.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
    // The pipe that closes with this process, however that ends.
    leash: Option<ChildStdin>,
}

impl Watchdog {
    const SCRIPT: &str = r#"read -r word; [ "$word" = done ] || { [ -z "$1" ] || kill -KILL "$1"; rm -rf -- "$2"; }"#;

    pub(crate) fn over(pid: u32, folder: &Path) -> Self {
        Self::start(&pid.to_string(), folder)
    }

    /// One that has a folder to remove and nothing to kill.
    pub(crate) fn over_folder(folder: &Path) -> Self {
        Self::start("", folder)
    }

    fn start(pid: &str, folder: &Path) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", Self::SCRIPT, "watchdog", pid])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Away from the terminal's interrupt, which would end it before it has done its work.
            .process_group(0)
            .spawn()
            .expect("the tests need a shell (`sh`) to watch their servers");
        let leash = shell.stdin.take();
        Self { shell, leash }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(mut leash) = self.leash.take() {
            // A watchdog that is gone has nothing to be told.
            let _ = leash.write_all(b"done\n");
        }
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("600").spawn().expect("sleep")
    }

    #[test]
    fn a_released_watchdog_kills() {
        let folder = std::env::temp_dir().join(format!("afresh-watchdog-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mut child = sleeper();
        let mut watchdog = Watchdog::over(child.id(), &folder);
        // What the end of this process does to the pipe.
        drop(watchdog.leash.take());
        reap(&mut child);
        drop(watchdog);
        assert!(!folder.exists());
    }

    #[test]
    fn a_folder_is_removed_without_a_process() {
        let folder = std::env::temp_dir().join(format!("afresh-folder-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mut watchdog = Watchdog::over_folder(&folder);
        drop(watchdog.leash.take());
        drop(watchdog);
        assert!(!folder.exists());
    }

    #[test]
    fn a_dismissed_watchdog_does_nothing() {
        let mut child = sleeper();
        drop(Watchdog::over(child.id(), Path::new("/nonexistent")));
        assert!(matches!(child.try_wait(), Ok(None)));
        signal(child.id(), "KILL");
        reap(&mut child);
    }
}
