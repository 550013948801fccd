//! `cargo xtask storm`: runs the package `afresh-storm`, which is the storm, on a server that is
//! found as for the tests, and then the package `afresh-checker` on the history that it wrote. The
//! options are those of the storm, and one that says how to build it.

use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::{env, fs, process};

use crate::server;
use crate::shell::cargo;

/// Leaves the sync functions out of the program: the connection is then kept on the runtime, and
/// not on a thread of its own.
pub(crate) const WITHOUT_SYNC: &str = "--without-sync";

/// Keeps the history in a folder of the caller's.
const HISTORY: &str = "--history";

/// The words of this command, as a step of a longer chore.
pub(crate) fn step<'a>(options: &[&'a str]) -> Vec<&'a str> {
    [&["xtask", "storm"], options].concat()
}

/// The words of the command that storms with these options.
fn command<'a>(options: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["run", "--quiet", "-p", "afresh-storm"];
    if options.contains(&WITHOUT_SYNC) {
        words.push("--no-default-features");
    }
    words.push("--");
    words.extend(options.iter().filter(|option| **option != WITHOUT_SYNC));
    words
}

pub(crate) fn run(rest: &[String]) -> ExitCode {
    let server = match server::for_tests() {
        Ok(server) => server,
        Err(advice) => {
            eprintln!("{advice}");
            return ExitCode::FAILURE;
        }
    };
    let options: Vec<&str> = rest.iter().map(String::as_str).collect();
    // Before the storm: what does not build is known at once.
    let built = code(&mut cargo(&["build", "--quiet", "-p", "afresh-checker"]));
    if built != 0 {
        return ExitCode::from(built);
    }
    let history = match History::of(&options) {
        Ok(history) => history,
        Err(error) => {
            eprintln!("no folder for the history: {error}");
            return ExitCode::FAILURE;
        }
    };
    let folder = history.folder.display().to_string();
    let mut storm = cargo(&command(&with_history(&options, &folder)));
    let stormed = code(storm.env("AFRESH_TEST_SERVER", server));
    if stormed == WRONG_OPTIONS {
        history.forget();
        return ExitCode::from(stormed);
    }
    let checked = code(&mut cargo(&checker(&folder)));
    if stormed == 0 && checked == 0 {
        history.forget();
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "the history is kept:\n\n    cargo {}\n",
        checker(&folder).join(" ")
    );
    ExitCode::from(if stormed == 0 { checked } else { stormed })
}

/// What the storm ends with where it was asked for what cannot be.
const WRONG_OPTIONS: u8 = 2;

/// These options, with this folder for the history in the place of any other.
fn with_history<'a>(options: &[&'a str], folder: &'a str) -> Vec<&'a str> {
    let at = options.iter().position(|option| *option == HISTORY);
    let (before, named) = options.split_at(at.unwrap_or(options.len()));
    let after = named.get(2..).unwrap_or_default();
    [&[HISTORY, folder], before, after].concat()
}

/// The words of the command that checks a history.
fn checker(folder: &str) -> [&str; 6] {
    ["run", "--quiet", "-p", "afresh-checker", "--", folder]
}

/// What a command ends with; 1 where it has no number.
fn code(command: &mut Command) -> u8 {
    match command.status() {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            code.unwrap_or(1)
        }
        Err(error) => {
            eprintln!("cargo: {error}");
            1
        }
    }
}

/// Where the storm's history is.
#[derive(Debug)]
struct History {
    folder: PathBuf,
    /// Nobody asked for it: it is gone when all was well.
    is_ours: bool,
}

impl History {
    fn of(options: &[&str]) -> io::Result<Self> {
        let at = options.iter().position(|option| *option == HISTORY);
        if let Some(named) = at.and_then(|at| options.get(at + 1)) {
            // The storm and the checker run in the root, wherever this was called.
            let folder = env::current_dir()?.join(named);
            return Ok(Self {
                folder,
                is_ours: false,
            });
        }
        let name = format!("afresh-history-{}", process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            is_ours: true,
        })
    }

    fn forget(&self) {
        if self.is_ours {
            // What is left in the system's temporary folder harms nobody.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_is_where_the_checker_looks() {
        for options in [
            &["--seconds", "3"][..],
            &["--history", "b", "--seconds", "3"],
            &["--seconds", "3", "--history", "b"],
            &["--seconds", "3", "--history"],
        ] {
            let expected = "--history /a --seconds 3";
            assert_eq!(with_history(options, "/a").join(" "), expected);
        }
        let named = History::of(&["--history", "/a"]).expect("no folder to make");
        assert_eq!((named.folder, named.is_ours), ("/a".into(), false));
    }

    #[test]
    fn what_nobody_asked_for_is_gone() {
        let ours = History::of(&["--seconds", "3"]).expect("a folder");
        assert!(ours.is_ours && ours.folder.is_dir());
        ours.forget();
        assert!(!ours.folder.exists());
    }

    #[test]
    fn an_option_to_build_is_cargos() {
        let options = ["--seconds", "3", WITHOUT_SYNC];
        let built = "run --quiet -p afresh-storm --no-default-features -- --seconds 3";
        assert_eq!(command(&options).join(" "), built);
        let built = "run --quiet -p afresh-storm -- --seconds 3";
        assert_eq!(command(&options[..2]).join(" "), built);
    }
}
