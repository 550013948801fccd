//! Which programs there are, building them, and running them one after the other.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use afresh_measure::Line;

use crate::{python, root};

/// The programs that measure, by their packages' names without what all begin with.
const MEASURING: [&str; 3] = ["local", "shared", "fleet"];

/// Builds what is wanted, runs it, and keeps what it says in the file; of what was not run, what
/// stands there stays.
pub(crate) fn run(only: Option<&str>, rounds: Option<&str>, file: &Path) -> Result<(), String> {
    let wanted: Vec<&str> = MEASURING
        .into_iter()
        .filter(|name| only.is_none_or(|only| only == *name))
        .collect();
    if wanted.is_empty() {
        let all = MEASURING.join(", ");
        return Err(format!("`--only` takes one of {all}"));
    }
    let folder = build(&wanted)?;
    let python = python::with_all()?;
    let mut lines = fs::read_to_string(file).unwrap_or_default();
    for name in wanted {
        println!("\n{name}");
        let mut program = Command::new(folder.join(format!("afresh-bench-{name}")));
        program.arg("--python").arg(&python);
        if let Some(rounds) = rounds {
            program.args(["--rounds", rounds]);
        }
        for line in output(&mut program)? {
            lines += &line;
            lines.push('\n');
        }
        // After each: what one has measured is not lost where the next one fails.
        fs::write(file, latest(&lines)).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

/// Builds them all at once, as users build; returns where they are.
fn build(names: &[&str]) -> Result<PathBuf, String> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root().join("benches"));
    cargo.args(["build", "--release", "--locked"]);
    for name in names {
        cargo.arg("-p").arg(format!("afresh-bench-{name}"));
    }
    let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err("the programs do not build".to_owned());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| root().join("benches/target"), PathBuf::from);
    Ok(target.join("release"))
}

/// The lines of a program that are results; what it says to people goes by.
fn output(program: &mut Command) -> Result<Vec<String>, String> {
    let name = program.get_program().display().to_string();
    let failed = |error| format!("{name}: {error}");
    let mut child = program.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let output = child.stdout.take().ok_or("a program without output")?;
    let lines = BufReader::new(output).lines().map_while(Result::ok);
    let lines = lines.filter(|line| Line::read(line).is_some()).collect();
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(format!("{name} has failed: {status}"));
    }
    Ok(lines)
}

/// What these lines come to, each series once, as it was measured last.
fn latest(text: &str) -> String {
    let is_same = |one: &str, other: &str| match (Line::read(one), Line::read(other)) {
        (Some(Line::Series(one)), Some(Line::Series(other))) => {
            one.point.section == other.point.section
                && one.point.case == other.point.case
                && one.subject == other.subject
        }
        (Some(Line::Verdict(one)), Some(Line::Verdict(other))) => {
            one.behaviour == other.behaviour && one.library == other.library
        }
        _ => false,
    };
    let mut kept: Vec<&str> = Vec::new();
    for line in text.lines() {
        kept.retain(|old| !is_same(old, line));
        kept.push(line);
    }
    kept.into_iter().map(|line| format!("{line}\n")).collect()
}
