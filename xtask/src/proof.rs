//! `cargo xtask proof`: the tests of the shared tier and the storm on each kind of server that is
//! supported and can be had here. Longer than what every commit needs.

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Instant;

use crate::server::{self, Other};
use crate::step::{Step, Tally, shown};

/// What runs on each server.
fn steps() -> Vec<Step> {
    vec![
        Step::new(
            "tests",
            ["test", "-p", "afresh", "--all-features", "--tests"],
        ),
        Step::new(
            "storm",
            ["xtask", "storm", "--seconds", "60", "--processes", "4"],
        ),
    ]
}

pub(crate) fn run(rest: &[String]) -> ExitCode {
    if let Some(word) = rest.first() {
        eprintln!("`cargo xtask proof` takes no arguments, got `{word}`");
        return ExitCode::from(2);
    }
    let mut lines = Vec::new();
    let mut failed = false;
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
        for step in steps() {
            println!("\n{version}: {}", step.shown());
            let began = Instant::now();
            let ran = step.run(&server);
            failed |= ran.is_none();
            let what = ran.map_or_else(|| "FAILED".to_owned(), counted);
            let time = shown(began.elapsed());
            lines.push(format!("  {version:<28}{:<8}{what:<16}{time}", step.name));
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
