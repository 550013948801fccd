//! `cargo xtask bench`: runs the workspace `benches`, which measures afresh beside its peers. What it
//! takes to measure, and what is done with the figures, is there; but what a function costs those who
//! compile it is told by `cargo xtask weigh`, and only put there.

use std::fs;
use std::process::ExitCode;

use crate::shell::{cargo, root};
use crate::weigh;

/// Where its table is put.
const WEIGHED: &str = "docs/bench/weighed.txt";

pub(crate) fn run(rest: &[String]) -> ExitCode {
    let words: Vec<&str> = rest.iter().map(String::as_str).collect();
    if weighs(&words)
        && let Err(error) = weighed()
    {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let report = ["--report".to_owned()];
    let is_that_alone = only(&words) == Some("weigh");
    let options = if is_that_alone { &report[..] } else { rest };
    match cargo(&command(options)).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What alone is to be measured, where that is said.
fn only<'a>(options: &[&'a str]) -> Option<&'a str> {
    let at = options.iter().position(|word| *word == "--only")?;
    options.get(at + 1).copied()
}

/// Whether what is to be measured has that in it: all of it has.
fn weighs(options: &[&str]) -> bool {
    let measures = !options.contains(&"--report") && !options.contains(&"--help");
    measures && only(options).is_none_or(|only| only == "weigh")
}

/// Weighs, and puts the table where the page is made.
fn weighed() -> std::io::Result<()> {
    // Whether its bounds hold stands in the table.
    let (table, _) = weigh::weigh(weigh::ROUNDS)?;
    println!("{table}");
    fs::write(root().join(WEIGHED), table)
}

/// The words of the command that runs it: as a release, with the versions of its lock file.
fn command(options: &[String]) -> Vec<&str> {
    let mut words = vec!["run", "--quiet", "--release", "--locked"];
    words.extend([
        "--manifest-path",
        "benches/Cargo.toml",
        "-p",
        "afresh-bench",
        "--",
    ]);
    words.extend(options.iter().map(String::as_str));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_weighs_too() {
        assert!(weighs(&[]) && weighs(&["--rounds", "15"]) && weighs(&["--only", "weigh"]));
        assert!(!weighs(&["--only", "local"]) && !weighs(&["--report"]) && !weighs(&["--help"]));
        assert!(weighs(&["--only", "weigh", "--rounds", "3"]));
        assert_eq!(only(&["--rounds", "3", "--only", "weigh"]), Some("weigh"));
    }

    #[test]
    fn options_are_passed_on() {
        let words = ["--only".to_owned(), "local".to_owned()];
        let words = command(&words);
        assert_eq!(words[words.len() - 3..], ["--", "--only", "local"]);
    }
}
