//! `cargo xtask supply`: whether the crates can be published as they stand, and what comes with them.
//! Here are the parts, their order and what is told of them; what each of them looks at is in the
//! files beneath.
//!
//! A part that cannot be run on this machine says so and why; it is never left out in silence.

mod contents;
mod features;
mod minimal;
mod msrv;
mod tools;
mod tree;
mod unpacked;

use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use crate::shell::cargo;
use crate::step::shown;

/// What is published, in the order in which it is: each depends only on those before it.
const CRATES: [&str; 3] = ["afresh-macros", "afresh-runtime", "afresh"];

/// `-p` and its name, for each of the crates.
fn selection() -> Vec<&'static str> {
    CRATES.iter().flat_map(|name| ["-p", name]).collect()
}

/// How a part ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It holds; with what was looked at.
    Holds(String),
    /// It does not.
    Fails(String),
    /// It could not be looked at on this machine.
    NotHere(String),
}

impl Outcome {
    fn of(result: Result<String, String>) -> Self {
        result.map_or_else(Self::Fails, Self::Holds)
    }

    fn told(&self) -> String {
        match self {
            Self::Holds(what) if what.is_empty() => "ok".to_owned(),
            Self::Holds(what) => format!("ok: {what}"),
            Self::Fails(why) => format!("FAILED: {why}"),
            Self::NotHere(why) => format!("not here: {why}"),
        }
    }
}

struct Part {
    name: &'static str,
    /// Seconds, where the lints have run before; `cargo xtask test` runs these.
    is_quick: bool,
    run: fn() -> Outcome,
}

const fn part(name: &'static str, run: fn() -> Outcome) -> Part {
    Part {
        name,
        is_quick: false,
        run,
    }
}

const fn quick(name: &'static str, run: fn() -> Outcome) -> Part {
    Part {
        name,
        is_quick: true,
        run,
    }
}

const PARTS: &[Part] = &[
    quick("dependencies", || Outcome::of(tree::dependencies())),
    quick("what the manifests say", || Outcome::of(tree::manifests())),
    quick("rust-version, as stated", || Outcome::of(msrv::stated())),
    quick("contents of packages", || Outcome::of(contents::listed())),
    part("features", || Outcome::of(features::each())),
    part("rust-version, as used", || Outcome::of(msrv::used())),
    part("rust-version, compiled", msrv::compiled),
    part("bans, licences, sources", tools::bans),
    part("advisories", tools::advisories),
    part("minimal versions", || Outcome::of(minimal::build())),
    part("docs", || Outcome::of(docs())),
    part("packages", || Outcome::of(contents::packaged())),
    part("tests in packages", unpacked::tested),
    part("semver", tools::semver),
];

/// Only the parts that take seconds.
const QUICK: &str = "--quick";

pub(crate) fn run(rest: &[String]) -> ExitCode {
    let Some(parts) = chosen(rest) else {
        let names: Vec<_> = PARTS.iter().map(|part| part.name).collect();
        eprintln!(
            "`cargo xtask supply` takes {QUICK}, nothing, or the name of a part: {}",
            names.join("; ")
        );
        return ExitCode::from(2);
    };
    let mut lines = Vec::new();
    let mut failed = false;
    for part in parts {
        println!("\n{}", part.name);
        let began = Instant::now();
        let outcome = (part.run)();
        let time = shown(began.elapsed());
        failed |= matches!(outcome, Outcome::Fails(_));
        let line = format!("  {:<24}{time:>12}  {}", part.name, outcome.told());
        println!("{line}");
        lines.push(line);
    }
    println!("\n{}", lines.join("\n"));
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// The parts that these words ask for; `None` where they ask for none.
fn chosen(words: &[String]) -> Option<Vec<&'static Part>> {
    let word = match words {
        [] => return Some(PARTS.iter().collect()),
        [word] => word,
        _ => return None,
    };
    let asks_for = |part: &&Part| part.name == word || (word == QUICK && part.is_quick);
    let parts: Vec<_> = PARTS.iter().filter(asks_for).collect();
    (!parts.is_empty()).then_some(parts)
}

fn docs() -> Result<String, String> {
    let mut command = cargo(&["doc", "--workspace", "--all-features", "--no-deps"]);
    passes(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(String::new())
}

/// Runs a command whose output is for whoever watches.
fn passes(command: &mut Command) -> Result<(), String> {
    let status = command.stdin(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{} ({status})", typed(command))),
        Err(error) => Err(format!("{}: {error}", typed(command))),
    }
}

/// Runs a command for what it prints.
fn printed(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output();
    let output = output.map_err(|error| format!("{}: {error}", typed(command)))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The command, without the path of the program.
fn typed(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let words = program.file_stem().into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(std::ffi::OsStr::to_string_lossy).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_says_which_it_is() {
        let why = || "no network".to_owned();
        assert_eq!(Outcome::NotHere(why()).told(), "not here: no network");
        assert_eq!(Outcome::Fails(why()).told(), "FAILED: no network");
        assert_eq!(Outcome::Holds(String::new()).told(), "ok");
    }

    #[test]
    fn one_part_the_quick_ones_or_all() {
        let count = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(ToString::to_string).collect();
            chosen(&words).map(|parts| parts.len())
        };
        assert_eq!(count(&[]), Some(PARTS.len()));
        assert_eq!(count(&["minimal versions"]), Some(1));
        assert!(count(&[QUICK]).is_some_and(|quick| (1..PARTS.len()).contains(&quick)));
        assert_eq!(count(&["minimal"]), None);
        assert_eq!(count(&["docs", "semver"]), None);
    }

    #[test]
    fn a_command_that_fails_is_told() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo because >&2; exit 3"]);
        assert_eq!(printed(&mut command), Err("because\n".to_owned()));
        let told = passes(&mut command).expect_err("it exits with 3");
        assert!(told.starts_with("sh -c") && told.contains('3'), "{told}");
    }
}
