//! The soak: tens of millions of calls of each kind over millions of keys and tags, in memory and on
//! a real server, and a look at what the process holds meanwhile: memory, file descriptors, threads,
//! tasks. What must stay where it is, must; else this ends with 1. `cargo xtask soak` runs it.
//!
//! Whether what the calls return is fresh is not asked here: that is the storm's.

mod chance;
mod fleet;
mod gauge;
mod items;
mod leak;
mod left;
mod picture;
mod run;
mod step;
mod table;
mod verdict;
#[cfg(feature = "sync")]
mod waits;
mod world;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use leak::Leak;
use picture::Picture;
use tokio::runtime::Runtime;

const USAGE: &str = "cargo xtask soak [--calls 50000000] [--shared 5000000] [--keys 10000000] \
     [--tags 1000000] [--seed 1] [--plot FILE] [--without-sync] [--leak memory|files|tasks]";

/// What was asked for on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    /// How many calls in memory, and on a server; with 0, that is left out.
    calls: u64,
    shared: u64,
    keys: u64,
    tags: u64,
    seed: u64,
    plot: Option<PathBuf>,
    leak: Option<Leak>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let settings = match settings(&words) {
        Ok(settings) => settings,
        Err(why) => {
            eprintln!("{why}\n\n  {USAGE}");
            return ExitCode::from(2);
        }
    };
    if soak(&settings) {
        ExitCode::SUCCESS
    } else {
        eprintln!("not all of it holds: see above");
        ExitCode::FAILURE
    }
}

/// A runtime of a run's own.
fn runtime(threads: usize) -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build();
    runtime.expect("a runtime")
}

/// Both runs; whether all held.
fn soak(settings: &Settings) -> bool {
    let mut runs = Vec::new();
    let mut held = true;
    if settings.calls > 0 {
        let ran = runtime(2).block_on(fleet::in_memory(settings));
        println!("{}", table::table(&ran));
        held &= told(&verdict::judged(&ran));
        runs.push(ran);
    }
    if settings.shared > 0 {
        // A sync function keeps its thread while the server answers.
        let (ran, left) = runtime(16).block_on(fleet::on_a_server(settings));
        println!("{}", table::table(&ran));
        println!("{}", table::table_left(&left));
        held &= told(&verdict::judged(&ran)) & told(&verdict::judged_left(&left));
        runs.push(ran);
    }
    if let Some(file) = &settings.plot {
        fs::write(file, Picture(&runs).to_string()).expect("a file that can be written");
        println!("{}", file.display());
    }
    held
}

/// Prints what was found; whether all of it holds.
fn told(findings: &[verdict::Finding]) -> bool {
    for finding in findings {
        println!("{finding}");
    }
    println!();
    findings.iter().all(|finding| finding.holds)
}

fn settings(words: &[String]) -> Result<Settings, String> {
    let mut settings = Settings {
        calls: 50_000_000,
        shared: 5_000_000,
        keys: 10_000_000,
        tags: 1_000_000,
        seed: 1,
        plot: None,
        leak: None,
    };
    for pair in words.chunks(2) {
        let [name, value] = pair else {
            return Err(format!("`{}` needs a value", pair[0]));
        };
        let number = || {
            let number = value.replace('_', "").parse::<u64>();
            number.map_err(|_| format!("`{name}` needs a number, got `{value}`"))
        };
        match name.as_str() {
            "--calls" => settings.calls = number()?,
            "--shared" => settings.shared = number()?,
            "--keys" => settings.keys = number()?.max(1),
            "--tags" => settings.tags = number()?.max(1),
            "--seed" => settings.seed = number()?,
            "--plot" => settings.plot = Some(value.into()),
            "--leak" => settings.leak = Some(value.parse()?),
            other => return Err(format!("there is no option `{other}`")),
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Settings, String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        settings(&words)
    }

    #[test]
    fn options_are_read() {
        let line = "--calls 2_000 --shared 30 --keys 4 --tags 5 --seed 6 --plot a.svg --leak files";
        let expected = Settings {
            calls: 2_000,
            shared: 30,
            keys: 4,
            tags: 5,
            seed: 6,
            plot: Some("a.svg".into()),
            leak: Some(Leak::Files),
        };
        assert_eq!(read(line), Ok(expected));
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (line, said) in [
            ("--calls", "needs a value"),
            ("--calls x", "needs a number"),
            ("--leak water", "no leak"),
            ("--wind 3", "no option"),
        ] {
            let told = read(line).err().unwrap_or_default();
            assert!(told.contains(said), "{line}: {told}");
        }
    }
}
