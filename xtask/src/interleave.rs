//! `cargo xtask interleave`: the rules of the call path in interleavings of the code itself, which
//! the runtime's `interleaving_tests` are. They are built with a flag of their own, hence into a
//! folder of their own, so that no other command builds anew because of them.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use crate::shell::{cargo, target};
use crate::step::shown;

/// How many schedules are explored before a commit.
const SCHEDULES: usize = 100_000;
/// How many where there is more time.
pub(crate) const MANY: &str = "1000000";

const USAGE: &str = "cargo xtask interleave [--schedules N] [name of a test]\n\n\
    To run a schedule again that a failure has shown, put it into AFRESH_SCHEDULE.";

/// The words of the command, for a chore of several.
pub(crate) fn command(options: &[&'static str]) -> Vec<&'static str> {
    let command = ["run", "--quiet", "-p", "xtask", "--", "interleave"];
    [&command, options].concat()
}

pub(crate) fn run(rest: &[String]) -> ExitCode {
    let (schedules, name) = match options(rest) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let began = Instant::now();
    match explored(tests(schedules, name)) {
        Ok((true, explored)) => {
            println!(
                "{explored} schedules in {}, and in none of them a rule was broken",
                shown(began.elapsed())
            );
            // A test that is not there explores nothing.
            if name.is_none() && explored < schedules {
                eprintln!("there should have been {schedules}");
                return ExitCode::FAILURE;
            }
            ExitCode::SUCCESS
        }
        Ok((false, _)) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How many schedules, and of which test if not of all.
fn options(rest: &[String]) -> Result<(usize, Option<&str>), String> {
    let mut schedules = SCHEDULES;
    let mut name = None;
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        if word == "--schedules" {
            let number = words.next().and_then(|number| number.parse().ok());
            schedules = number.ok_or("`--schedules` takes a number")?;
        } else if word.starts_with('-') || name.is_some() {
            return Err(format!("`{word}` is not known here"));
        } else {
            name = Some(word.as_str());
        }
    }
    Ok((schedules, name))
}

/// The command that builds and runs the tests.
fn tests(schedules: usize, name: Option<&str>) -> Command {
    let mut command = cargo(&[
        "test",
        "-p",
        "afresh-runtime",
        "--no-default-features",
        "--lib",
        "--profile",
        "interleave",
        "--",
        "--nocapture",
        name.unwrap_or("interleaving_tests::"),
    ]);
    let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    flags.push_str(" --cfg afresh_shuttle");
    command
        .env("RUSTFLAGS", flags.trim())
        .env("CARGO_TARGET_DIR", target().join("shuttle"))
        .env("AFRESH_SCHEDULES", schedules.to_string());
    if let Some(schedule) = std::env::var_os("AFRESH_SCHEDULE") {
        command.env("AFRESH_SCHEDULE", schedule);
    }
    command
}

/// Runs the tests, repeating what they print, and counts the schedules that they tell of.
fn explored(mut command: Command) -> io::Result<(bool, usize)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut sum = 0;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            println!("{line}");
            sum += told(&line);
        }
    }
    Ok((child.wait()?.success(), sum))
}

/// The schedules of one test: `…name: 646 schedules in 0.2 s`.
fn told(line: &str) -> usize {
    let number = line.split_once(" schedules in ").and_then(|(before, _)| {
        let (_, number) = before.rsplit_once(": ")?;
        number.parse().ok()
    });
    number.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_tells_is_counted() {
        assert_eq!(told("..a_rule_holds: 646 schedules in 0.2 s"), 646);
        assert_eq!(told("test interleaving_tests::a_rule_holds ... ok"), 0);
    }

    #[test]
    fn a_flag_goes_with_a_folder_of_its_own() {
        let command = tests(1, None);
        let is_set = |wanted| {
            let mut variables = command.get_envs();
            variables.any(|(name, value)| name == wanted && value.is_some())
        };
        assert!(is_set("RUSTFLAGS") && is_set("CARGO_TARGET_DIR"));
        assert_ne!(target().join("shuttle"), target());
    }

    #[test]
    fn options_are_a_number_and_a_name() {
        let options = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
            options(&words).map(|(schedules, name)| (schedules, name.map(str::to_owned)))
        };
        assert_eq!(options(&[]), Ok((SCHEDULES, None)));
        let many = options(&["--schedules", MANY]);
        assert_eq!(many, Ok((SCHEDULES * 10, None)));
        assert_eq!(
            options(&["a_rule", "--schedules", "7"]),
            Ok((7, Some("a_rule".into())))
        );
        assert!(options(&["--schedules"]).is_err());
        assert!(options(&["--fast"]).is_err());
    }
}
