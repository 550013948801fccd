//! `cargo xtask bench`: builds the programs of this workspace, runs them one after the other, and
//! writes what they found to `docs/bench`. What is measured is said by the programs.

mod figures;
mod headline;
mod machine;
mod page;
mod plots;
mod programs;
mod python;
mod scoreboard;
mod targets;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use afresh_measure::{Line, option};

const HELP: &str = "cargo xtask bench [--only PROGRAM] [--rounds N] [--report]

    Measures afresh beside its peers, and writes the tables and plots to docs/bench. Nothing else
    should run meanwhile.

    --only PROGRAM   only this one: local, shared, fleet, scoreboard, weigh; of the others, what is
                     there stays
    --rounds N       as many rounds of each; 15 or more where it is left out
    --report         measures nothing: writes the tables from what is there";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Where the repository is.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).unwrap_or(here);
    root.to_owned()
}

fn run(words: &[String]) -> Result<(), String> {
    let folder = root().join("docs/bench");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let file = folder.join("results.jsonl");
    if !words.iter().any(|word| word == "--report") {
        let only = option("--only");
        let rounds = option("--rounds");
        programs::run(only.as_deref(), rounds.as_deref(), &file)?;
        machine::note(&folder)?;
    }
    let text = fs::read_to_string(&file).map_err(|error| {
        format!(
            "{}: {error}; run it once without `--report`",
            file.display()
        )
    })?;
    let mut figures = figures::Figures::default();
    let mut scoreboard = scoreboard::Scoreboard::default();
    for line in text.lines().filter_map(Line::read) {
        match line {
            Line::Series(series) => figures.add(series),
            Line::Verdict(verdict) => scoreboard.add(verdict),
        }
    }
    plots::draw(&figures, &folder)?;
    page::write(&figures, &scoreboard, &folder)?;
    headline::write(&figures, &scoreboard, &root().join("README.md"))?;
    println!("{}", targets::summary(&figures));
    println!("The tables are in docs/bench/README.md");
    Ok(())
}
