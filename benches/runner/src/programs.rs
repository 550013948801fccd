//! Which programs there are, building them, and running them one after the other.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use afresh_measure::Line;

use crate::{python, root};

/// The programs that measure, by their packages' names without what all begin with.
const MEASURING: [&str; 3] = ["local", "shared", "fleet"];
/// What asks all libraries the same.
const SCOREBOARD: &str = "scoreboard";
/// Those that are asked, by the names of their programs.
const LIBRARIES: [&str; 7] = [
    "afresh",
    "cached",
    "hitbox",
    "cachekit",
    "amalgam",
    "moka",
    "quick_cache",
];
/// Those of them that are written in Python.
const SYSTEMS: [&str; 3] = ["relaycache", "cashews", "cacheops"];

/// Builds what is wanted, runs it, and keeps what it says in the file; of what was not run, what
/// stands there stays.
pub(crate) fn run(only: Option<&str>, rounds: Option<&str>, file: &Path) -> Result<(), String> {
    let is_wanted = |name: &str| only.is_none_or(|only| only == name);
    let all = [&MEASURING[..], &[SCOREBOARD]].concat();
    let wanted: Vec<&str> = all.iter().copied().filter(|name| is_wanted(name)).collect();
    if wanted.is_empty() {
        return Err(format!("`--only` takes one of {}", all.join(", ")));
    }
    let folder = build(&wanted)?;
    let python = python::with_all()?;
    let mut results = Results::read(file);
    for name in wanted {
        println!("\n{name}");
        if name == SCOREBOARD {
            for library in LIBRARIES {
                let program = folder.join(format!("scoreboard-{library}"));
                ask(&|| Command::new(&program), &mut results)?;
            }
            for system in SYSTEMS {
                let script = format!("benches/scoreboard/python/scoreboard_{system}.py");
                let start = || {
                    let mut program = Command::new(&python);
                    program.arg(root().join(&script));
                    program
                };
                ask(&start, &mut results)?;
            }
        } else {
            let mut program = Command::new(folder.join(format!("afresh-bench-{name}")));
            program.arg("--python").arg(&python);
            if let Some(rounds) = rounds {
                program.args(["--rounds", rounds]);
            }
            results.add(output(&mut program)?)?;
        }
    }
    Ok(())
}

/// Asks a library about each behaviour that it knows, in a process of its own.
fn ask(program: &dyn Fn() -> Command, results: &mut Results<'_>) -> Result<(), String> {
    let listed = program().arg("--list").output();
    let listed =
        listed.map_err(|error| format!("{}: {error}", program().get_program().display()))?;
    let mut lines = Vec::new();
    for behaviour in String::from_utf8_lossy(&listed.stdout).lines() {
        lines.extend(output(program().args(["--behaviour", behaviour]))?);
    }
    results.add(lines)
}

/// What was found, in a file.
struct Results<'a> {
    file: &'a Path,
    lines: String,
}

impl<'a> Results<'a> {
    fn read(file: &'a Path) -> Self {
        let lines = fs::read_to_string(file).unwrap_or_default();
        Self { file, lines }
    }

    /// Written after each program: what one has found is not lost where the next one fails.
    fn add(&mut self, lines: Vec<String>) -> Result<(), String> {
        for line in lines {
            self.lines += &line;
            self.lines.push('\n');
        }
        self.lines = latest(&self.lines);
        let failed = |error| format!("{}: {error}", self.file.display());
        fs::write(self.file, &self.lines).map_err(failed)
    }
}

/// Builds them all at once, as users build; returns where they are.
fn build(names: &[&str]) -> Result<PathBuf, String> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root().join("benches"));
    cargo.args(["build", "--release", "--locked"]);
    for name in names {
        if *name == SCOREBOARD {
            for library in LIBRARIES {
                cargo.arg("-p").arg(format!("scoreboard-{library}"));
            }
        } else {
            cargo.arg("-p").arg(format!("afresh-bench-{name}"));
        }
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
