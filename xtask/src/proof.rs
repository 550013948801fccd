//! `cargo xtask proof`: the tests of the shared tier and the storm on each kind of server that is
//! supported and can be had here. Longer than what every commit needs.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::ExitCode;
use std::time::Instant;

use crate::server::{self, Other};
use crate::step::{Step, Tally, shown};
use crate::{interleave, storm};

/// The tests that need a server, and only one.
const ON_ONE_SERVER: [&str; 18] = [
    "away",
    "between",
    "consistency",
    "costs_shared",
    "crash_safe",
    "crashes",
    "deposed",
    "entries_shared",
    "joining",
    "least_rights",
    "log_faults",
    "log_rotation",
    "parked",
    "shared",
    "shared_bytes",
    "shared_faults",
    "shared_flight",
    "shared_log",
];

/// What a server before 7.0 cannot do: let a script write where memory is full, or load its data
/// slowly on purpose.
const SINCE_7: [&str; 2] = ["a_full_server_takes", "that_is_loading_its_data"];

/// Every cell of the tests between every two commands, not only some of each kind.
const WHOLE: [(&str, &str); 1] = [("AFRESH_TEST_BETWEEN", "all")];

/// A minute of each deployment.
const STORM: [&str; 4] = ["--seconds", "60", "--processes", "4"];

/// Everything, where the server is new enough to be made a cluster of by the tests; else what one
/// server is enough for. The old one that can be had has no TLS either.
fn steps(is_old: bool) -> Vec<Step> {
    let mut tests = vec!["test", "-p", "afresh", "--all-features"];
    let mut storm = STORM.to_vec();
    if is_old {
        tests.extend(ON_ONE_SERVER.iter().flat_map(|name| ["--test", name]));
        tests.push("--");
        tests.extend(SINCE_7.iter().flat_map(|name| ["--skip", name]));
        storm.extend(["--deployment", "standalone"]);
    } else {
        tests.push("--tests");
    }
    let without = [&storm[..], &[storm::WITHOUT_SYNC]].concat();
    let mut tests = Step::new("tests", tests);
    tests.variables = &WHOLE;
    vec![
        tests,
        Step::new("storm", storm::step(&storm)),
        Step::new("storm, no sync functions", storm::step(&without)),
    ]
}

pub(crate) fn run(rest: &[String]) -> ExitCode {
    if let Some(word) = rest.first() {
        eprintln!("`cargo xtask proof` takes no arguments, got `{word}`");
        return ExitCode::from(2);
    }
    let mut lines = Vec::new();
    let mut failed = false;
    let mut run = |step: &Step, version: &str, server: &OsStr| {
        println!("\n{version}: {}", step.shown());
        let began = Instant::now();
        let ran = step.run(server);
        failed |= ran.is_none();
        let what = ran.map_or_else(|| "FAILED".to_owned(), counted);
        let time = shown(began.elapsed());
        format!("  {version:<28}{:<8}{what:<16}{time}", step.name)
    };
    let many = interleave::command(&["--schedules", interleave::MANY]);
    let interleavings = Step::new("interleavings", many);
    lines.push(run(&interleavings, "no server", OsStr::new("")));
    for (name, found) in servers() {
        let server = match found {
            Ok(server) => server,
            Err(why) => {
                // Said, and no failure: not every registry is within everyone's reach.
                println!("\n{name}: not here: {why}");
                lines.push(format!("  {name:<28}not here"));
                continue;
            }
        };
        let version = server::version(&server).unwrap_or_else(|error| error);
        for step in steps(version.contains(" 6.")) {
            lines.push(run(&step, &version, &server));
        }
    }
    println!("\n{}", lines.join("\n"));
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn servers() -> [(&'static str, Result<OsString, String>); 3] {
    let path = env::var_os("PATH").unwrap_or_default();
    let other = |other| server::fetch(&path, other).map(Into::into);
    [
        ("the server on PATH", server::for_tests()),
        ("Valkey", other(Other::Valkey)),
        ("Redis 6.2", other(Other::OldRedis)),
    ]
}

fn counted(tally: Tally) -> String {
    match tally.passed {
        0 => "ok".to_owned(),
        passed => format!("{passed} passed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_that_are_named_are_there() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
        for name in ON_ONE_SERVER {
            assert!(root.join(format!("{name}.rs")).is_file(), "{name}");
        }
        let text = |name| std::fs::read_to_string(root.join(name)).expect("a test");
        let all = text("away.rs") + &text("shared_faults.rs");
        assert!(SINCE_7.iter().all(|name| all.contains(name)));
    }

    #[test]
    fn an_old_server_stands_alone() {
        let words = |is_old| steps(is_old).into_iter().flat_map(|step| step.words);
        assert!(words(true).any(|word| word == "standalone"));
        assert!(!words(false).any(|word| word == "standalone"));
    }
}
