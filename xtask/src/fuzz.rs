//! `cargo xtask fuzz`: builds the targets of the package `fuzz` with what the engine needs to see
//! which code an input reaches, and runs them. On a stable toolchain: the flags are those that
//! `cargo fuzz` passes, without a sanitizer. What must hold is said where the targets are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;
use std::{env, fs, iter};

use crate::server::{administrator, run as run_shown, succeeds};
use crate::shell::{cargo, root, target};

/// Counters at each edge, and what is compared with what.
const FLAGS: &str = "--cfg afresh_fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// An input that takes longer is a finding, in seconds; so is one that takes more memory, in MB.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=1024"];

const HELP: &str = "cargo xtask fuzz [target ..] [--seconds N | --runs N | --keep]
cargo xtask fuzz <target> --input <file>

  --seconds N     each target for so long (30)
  --runs N        each target so many times
  --keep          adds what earlier runs have found to the corpus, as far as it reaches anything new
  --input <file>  one input, once";

/// How long, or what else.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    Seconds(String),
    Runs(String),
    Input(PathBuf),
    Keep,
}

pub(crate) fn run(rest: &[String]) -> ExitCode {
    let known = match targets() {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    let (names, way) = match words(rest, &known) {
        Ok(said) => said,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{HELP}\n\ntargets: {}", known.join(", "));
            return ExitCode::from(2);
        }
    };
    match compiler().and_then(|()| build()) {
        Ok(programs) => all(&programs, &names, &way),
        Err(error) => failed(&error),
    }
}

fn failed(error: &str) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

fn folder() -> PathBuf {
    root().join("fuzz")
}

/// Every target there is.
fn targets() -> Result<Vec<String>, String> {
    let folder = folder().join("fuzz_targets");
    let files = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let name = |file: fs::DirEntry| Some(file.path().file_stem()?.to_str()?.to_owned());
    let mut names: Vec<_> = files.flatten().filter_map(name).collect();
    names.sort_unstable();
    Ok(names)
}

/// What was asked for: which targets, and how long.
fn words(rest: &[String], known: &[String]) -> Result<(Vec<String>, Way), String> {
    let mut names = Vec::new();
    let mut way = None;
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .cloned()
                .ok_or(format!("`{word}` needs a value"))
        };
        let said = match word.as_str() {
            "--seconds" => Way::Seconds(value()?),
            "--runs" => Way::Runs(value()?),
            "--input" => Way::Input(value()?.into()),
            "--keep" => Way::Keep,
            name if known.iter().any(|known| known == name) => {
                names.push(name.to_owned());
                continue;
            }
            other => return Err(format!("there is no target or option `{other}`")),
        };
        if let Way::Seconds(number) | Way::Runs(number) = &said
            && number.parse::<u32>().is_err()
        {
            return Err(format!("`{word}` takes a number, got `{number}`"));
        }
        if way.replace(said).is_some() {
            return Err(format!("`{word}` is one way to run too many"));
        }
    }
    if matches!(way, Some(Way::Input(_))) && names.len() != 1 {
        return Err("an input is for one target".into());
    }
    if names.is_empty() {
        names = known.to_vec();
    }
    Ok((names, way.unwrap_or(Way::Seconds("30".into()))))
}

/// Sees to it that there is what compiles the engine.
fn compiler() -> Result<(), String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = || succeeds(&path, &["c++", "--version"]);
    if env::var_os("CXX").is_some() || is_there() {
        return Ok(());
    }
    let missing = "there is no `c++` on PATH; the engine of `cargo xtask fuzz` is compiled with it: \
                   install g++ or clang (Debian, Ubuntu: `apt-get install g++`; Fedora: `dnf install \
                   gcc-c++`; macOS: `xcode-select --install`)";
    let install = |path: &OsStr| {
        let words = [
            "apt-get",
            "-q",
            "install",
            "-y",
            "--no-install-recommends",
            "g++",
        ];
        administrator(path).is_some_and(|before| run_shown(path, &[before, &words].concat()))
    };
    if succeeds(&path, &["apt-get", "--version"]) && install(&path) && is_there() {
        return Ok(());
    }
    Err(missing.to_owned())
}

/// Builds all targets; the folder of their programs. A folder of their own, so that the flags undo
/// nothing that others have built.
fn build() -> Result<PathBuf, String> {
    let host = host()?;
    let target = target().join("fuzz");
    let manifest = folder().join("Cargo.toml");
    let mut build = cargo(&["build", "--release", "--locked", "--target", &host]);
    build
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", FLAGS);
    match build.status() {
        Ok(status) if status.success() => Ok(target.join(host).join("release")),
        Ok(_) => Err("the package `fuzz` does not build".into()),
        Err(error) => Err(format!("cargo: {error}")),
    }
}

/// The platform that this runs on. It must be named: else the flags would be for build scripts too.
fn host() -> Result<String, String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .current_dir(root())
        .output();
    let output = output.map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or(format!("`rustc -vV` says {text}"))
}

/// What a target came to.
struct Ran {
    name: String,
    executions: u64,
    reached: u64,
    inputs: usize,
    seconds: u64,
    finding: Option<String>,
}

/// Runs these, two at a time.
fn all(programs: &Path, names: &[String], way: &Way) -> ExitCode {
    let waiting = Mutex::new(names.iter());
    let next = || waiting.lock().ok().and_then(|mut names| names.next());
    let in_turn = || -> Vec<Ran> {
        let ran = iter::from_fn(next).map(|name| one(programs, name, way));
        ran.collect()
    };
    let mut ran: Vec<Ran> = thread::scope(|scope| {
        let workers = [(); 2].map(|()| scope.spawn(in_turn));
        let ran = workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_default());
        ran.collect()
    });
    ran.sort_by(|one, two| one.name.cmp(&two.name));
    println!("\n{}", table(&ran));
    for finding in ran.iter().filter_map(|ran| ran.finding.as_ref()) {
        println!("\n{finding}");
    }
    if ran.len() == names.len() && ran.iter().all(|ran| ran.finding.is_none()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn one(programs: &Path, name: &str, way: &Way) -> Ran {
    let kept = folder().join("corpus").join(name);
    let artifacts = folder().join("artifacts").join(name);
    // What a run finds of interest is kept apart: the corpus in the repository is small on purpose.
    let found = target().join("fuzz").join("corpus").join(name);
    for folder in [&kept, &artifacts, &found] {
        let _ = fs::create_dir_all(folder);
    }
    let mut command = Command::new(programs.join(name));
    command
        .args(LIMITS)
        .arg("-print_final_stats=1")
        .arg(format!("-artifact_prefix={}/", artifacts.display()));
    match way {
        Way::Seconds(seconds) => command.arg(format!("-max_total_time={seconds}")),
        Way::Runs(runs) => command.arg(format!("-runs={runs}")),
        Way::Input(_) => &mut command,
        Way::Keep => command.arg("-merge=1"),
    };
    match way {
        Way::Input(file) => command.arg(file),
        Way::Keep => command.args([&kept, &found]),
        Way::Seconds(_) | Way::Runs(_) => command.args([&found, &kept]),
    };
    let began = Instant::now();
    let output = command.stdin(Stdio::null()).output();
    let seconds = began.elapsed().as_secs();
    let (said, succeeded) = match output {
        // What a panic says goes the same way as what the engine says.
        Ok(output) => (
            String::from_utf8_lossy(&output.stderr).into_owned(),
            output.status.success(),
        ),
        Err(error) => (error.to_string(), false),
    };
    let finding = (!succeeded).then(|| finding(name, &said));
    Ran {
        name: name.to_owned(),
        executions: last_number(&said, "stat::number_of_executed_units:").unwrap_or(0),
        reached: last_number(&said, "cov: ").unwrap_or(0),
        inputs: fs::read_dir(&kept).map_or(0, Iterator::count),
        seconds,
        finding,
    }
}

/// The last number behind these words.
fn last_number(said: &str, words: &str) -> Option<u64> {
    let behind = said.rsplit_once(words)?.1.trim_start();
    let end = behind.find(|c: char| !c.is_ascii_digit());
    behind[..end.unwrap_or(behind.len())].parse().ok()
}

/// What was found, and how to see it again.
fn finding(name: &str, said: &str) -> String {
    let engines = ["#", "INFO:", "WARNING:", "stat::", "MS: ", "0x", "Base64"];
    let is_told = |line: &&str| !engines.iter().any(|start| line.starts_with(start));
    let told: Vec<_> = said.lines().filter(is_told).collect();
    let input = said
        .rsplit_once("Test unit written to ")
        .map(|(_, path)| path);
    let input = input.and_then(|path| path.lines().next());
    let again = input.map_or_else(String::new, |input| {
        format!("\n\nTo run it again:\n\n    cargo xtask fuzz {name} --input {input}")
    });
    format!("{name}:\n{}{again}", told.join("\n"))
}

fn table(ran: &[Ran]) -> String {
    let head = "  target        executions   seconds   reached    corpus   findings";
    let line = |ran: &Ran| {
        let findings = u8::from(ran.finding.is_some());
        let Ran {
            name,
            executions,
            seconds,
            reached,
            inputs,
            ..
        } = ran;
        format!(
            "\n  {name:<12}{executions:>12}{seconds:>10}{reached:>10}{inputs:>10}{findings:>11}"
        )
    };
    format!("{head}{}", ran.iter().map(line).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Result<(Vec<String>, Way), String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        super::words(&words, &["entry".to_owned(), "url".to_owned()])
    }

    #[test]
    fn what_is_asked_for_is_understood() {
        let seconds = |seconds: &str| Way::Seconds(seconds.into());
        let all = vec!["entry".to_owned(), "url".to_owned()];
        assert_eq!(said(""), Ok((all.clone(), seconds("30"))));
        assert_eq!(said("--seconds 5"), Ok((all, seconds("5"))));
        let (names, way) = said("url --runs 7").expect("two words more");
        assert_eq!(
            (names.join(" "), way),
            ("url".into(), Way::Runs("7".into()))
        );
        assert!(matches!(said("url --input x"), Ok((_, Way::Input(_)))));
        for wrong in ["x", "--input x", "--runs", "--runs x", "--runs 1 --keep"] {
            assert!(said(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_engine_is_understood() {
        let text = "#2 INITED cov: 7 ft: 7\nthread panicked at x\nleft: 1\n#9 DONE cov: 12 ft: 9\n\
                    Test unit written to /a/crash-1\nstat::number_of_executed_units: 345\n";
        assert_eq!(last_number(text, "cov: "), Some(12));
        assert_eq!(
            last_number(text, "stat::number_of_executed_units:"),
            Some(345)
        );
        let finding = finding("url", text);
        assert!(finding.contains("panicked at x\nleft: 1"), "{finding}");
        assert!(
            finding.ends_with("cargo xtask fuzz url --input /a/crash-1"),
            "{finding}"
        );
    }

    #[test]
    fn every_target_has_a_corpus() {
        let targets = targets().expect("targets");
        assert!(targets.len() >= 7, "{targets:?}");
        for name in targets {
            let corpus = folder().join("corpus").join(&name);
            assert!(
                fs::read_dir(corpus).is_ok_and(|files| files.count() > 4),
                "{name}"
            );
        }
    }
}
