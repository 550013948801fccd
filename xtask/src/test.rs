//! `cargo xtask test`: everything that must hold before a commit, in order, up to the first
//! failure. This is all that CI runs.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::step::{Step, Tally, shown};
use crate::{interleave, server, storm};

/// The steps, cheap and telling ones first. They share one target folder and set no compiler
/// flags, so that no step undoes what another has built; but for the interleavings, whose command
/// sets one, and builds into a folder of its own.
///
/// The full tests run once, with every feature. With the default features, which lack only some
/// codecs, clippy checks all code and tests, and the bookshop runs. Without any feature there is
/// no shared tier, which behaves differently: there the tests of the library run once more.
fn steps() -> Vec<Step> {
    let clippy = |name, selection: &[&'static str]| {
        Step::new(
            name,
            [
                &["clippy"],
                selection,
                &["--all-targets", "--", "-D", "warnings"],
            ]
            .concat(),
        )
    };
    // The example and the tools ask for default features, and would switch them on for all.
    let library = [
        "-p",
        "afresh",
        "-p",
        "afresh-macros",
        "-p",
        "afresh-runtime",
    ];
    let bare = [&library[..], &["--no-default-features"]].concat();
    let mut docs = Step::new(
        "docs",
        ["doc", "--workspace", "--all-features", "--no-deps"],
    );
    docs.variables = &[("RUSTDOCFLAGS", "-D warnings")];
    vec![
        Step::new("formatting", ["fmt", "--all", "--check"]),
        // The peers take minutes to build: here what is measured beside them is only looked at.
        Step::new(
            "formatting of benches",
            [
                "fmt",
                "--manifest-path",
                "benches/Cargo.toml",
                "--all",
                "--check",
            ],
        ),
        clippy("lints, all features", &["--workspace", "--all-features"]),
        clippy("lints, default features", &["--workspace"]),
        clippy("lints, no features", &bare),
        // What takes seconds of `cargo xtask supply`.
        Step::new(
            "supply",
            ["run", "-q", "-p", "xtask", "--", "supply", "--quick"],
        ),
        Step::new(
            "tests, all features",
            ["test", "--workspace", "--all-features", "--tests"],
        ),
        Step::new(
            "tests, no features",
            [&["test"], &bare[..], &["--tests"]].concat(),
        ),
        Step::new(
            "doctests",
            ["test", "--workspace", "--all-features", "--doc"],
        ),
        docs,
        Step::new("bookshop", ["run", "-p", "bookshop"]),
        // As a release, with the features that are built in seconds.
        Step::new(
            "instructions of a hit",
            ["run", "-q", "-p", "xtask", "--", "instructions"],
        ),
        // It sets compiler flags, for builds in a folder of its own.
        Step::new(
            "hostile bytes",
            ["run", "-q", "-p", "xtask", "--", "fuzz", "--seconds", "30"],
        ),
        Step::new("interleavings", interleave::command(&[])),
        Step::new("storm", storm::step(&["--seconds", "20"])),
    ]
}

/// What a step came to.
struct Done {
    name: &'static str,
    time: Duration,
    result: String,
}

pub(crate) fn run(rest: &[String]) -> ExitCode {
    if let Some(word) = rest.first() {
        eprintln!(
            "`cargo xtask test` takes no arguments, got `{word}`; for some tests: cargo test <name>"
        );
        return ExitCode::from(2);
    }
    let began = Instant::now();
    let mut done = Vec::new();
    let mut tally = Tally::default();
    let steps = steps();
    let total = steps.len() + 1;

    announce(1, total, "server", "Redis or Valkey on PATH");
    let found = server::for_tests().and_then(|server| Ok((server::version(&server)?, server)));
    let (result, server) = match found {
        Ok(found) => found,
        Err(advice) => {
            eprintln!("{advice}");
            return ExitCode::FAILURE;
        }
    };
    let time = began.elapsed();
    let first = Done {
        name: "server",
        time,
        result,
    };
    finish(1, total, first, &mut done);

    for (at, step) in (2..).zip(&steps) {
        announce(at, total, step.name, &step.shown());
        let start = Instant::now();
        let outcome = step.run(&server);
        let time = start.elapsed();
        let Some(ran) = outcome else {
            eprintln!("{}", failure(step, time, &steps[at - 1..]));
            return ExitCode::FAILURE;
        };
        tally += ran;
        finish(
            at,
            total,
            Done {
                name: step.name,
                time,
                result: counted(ran),
            },
            &mut done,
        );
    }
    println!("\n{}", summary(&done, began.elapsed(), tally));
    ExitCode::SUCCESS
}

fn announce(at: usize, total: usize, name: &str, what: &str) {
    println!("\n[{at:>2}/{total}] {name}: {what}");
}

fn finish(at: usize, total: usize, step: Done, done: &mut Vec<Done>) {
    println!(
        "[{at:>2}/{total}] {}: {} ({})",
        step.name,
        step.result,
        shown(step.time)
    );
    done.push(step);
}

fn counted(tally: Tally) -> String {
    match tally {
        Tally {
            passed: 0,
            ignored: 0,
        } => "ok".to_owned(),
        Tally { passed, ignored: 0 } => format!("{passed} passed"),
        Tally { passed, ignored } => format!("{passed} passed, {ignored} ignored"),
    }
}

fn failure(step: &Step, time: Duration, rest: &[Step]) -> String {
    let names: Vec<_> = rest.iter().map(|step| step.name).collect();
    let left = if names.is_empty() {
        "nothing else".to_owned()
    } else {
        names.join("; ")
    };
    format!(
        "\n{} failed after {}. To run it again:\n\n    {}\n\nNot run: {left}.",
        step.name,
        shown(time),
        step.shown()
    )
}

fn summary(done: &[Done], time: Duration, tally: Tally) -> String {
    let total = Done {
        name: "all of it",
        time,
        result: counted(tally),
    };
    let rows = || done.iter().chain([&total]);
    let name_width = rows().map(|row| row.name.len()).max().unwrap_or(0);
    let time_width = rows().map(|row| shown(row.time).len()).max().unwrap_or(0);
    let line = |row: &Done| {
        format!(
            "  {:<name_width$}  {:>time_width$}  {}\n",
            row.name,
            shown(row.time),
            row.result
        )
    };
    let lines: String = done.iter().map(line).collect();
    let rule = "-".repeat(name_width + 2 + time_width);
    format!("{lines}  {rule}\n{}", line(&total).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_aligned() {
        let done = [
            Done {
                name: "formatting",
                time: Duration::from_millis(300),
                result: "ok".into(),
            },
            Done {
                name: "tests",
                time: Duration::from_secs(75),
                result: "3 passed".into(),
            },
        ];
        let text = summary(
            &done,
            Duration::from_secs(76),
            Tally {
                passed: 3,
                ignored: 1,
            },
        );
        let expected = "  \
  formatting       0.3 s  ok
  tests       1 min 15 s  3 passed
  ----------------------
  all of it   1 min 16 s  3 passed, 1 ignored";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_failure_says_how_to_run_it_again() {
        let steps = steps();
        let text = failure(&steps[0], Duration::from_secs(1), &steps[1..3]);
        assert!(text.contains("\n    cargo fmt --all --check\n"), "{text}");
        assert!(
            text.ends_with("Not run: formatting of benches; lints, all features."),
            "{text}"
        );
    }

    #[test]
    fn no_step_sets_compiler_flags() {
        let steps = steps();
        let variables = || steps.iter().flat_map(|step| step.variables);
        assert!(variables().all(|(name, _)| *name == "RUSTDOCFLAGS"));
    }
}
