//! What callers get under each policy, second by second, as pictures and as a table. Run it with
//!
//! ```text
//! cargo run -p timelines              # prints the table, draws the pictures of the guide
//! cargo run -p timelines -- --check   # says whether the pictures are as they would be drawn
//! ```
//!
//! The cached functions are in `shop`, the database that they ask is in `world`, and `run` calls
//! them, on a clock that stands still until it is advanced: every run is like the other. `picture`
//! and `table` show what came of it. Both are part of the guide, in `src/docs/policies`. This file
//! only starts it and keeps the files.

mod args;
mod picture;
mod run;
mod shop;
mod table;
mod world;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use crate::args::Command;
use crate::picture::Picture;
use crate::run::Timeline;
use crate::shop::CASES;
use crate::table::Table;

/// Where the pictures are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/docs/policies");

fn main() -> ExitCode {
    let done = match args::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => {
            print!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Draw) => draw(),
        Ok(Command::Check) => check(),
        Err(problem) => {
            eprintln!("timelines: {problem}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("timelines: {error}");
            ExitCode::FAILURE
        }
    }
}

fn timelines() -> io::Result<Vec<Timeline>> {
    CASES.into_iter().map(run::run).collect()
}

/// What a run makes: names of files, and what is in them.
fn files(timelines: &[Timeline]) -> Vec<(String, String)> {
    let picture = |timeline: &Timeline| {
        let name = format!("{}.svg", timeline.case.name);
        (name, Picture(timeline).to_string())
    };
    let figures = format!("# Side by side\n\n```text\n{}\n```\n", Table(timelines));
    let mut files: Vec<_> = timelines.iter().map(picture).collect();
    files.push(("figures.md".to_owned(), figures));
    files
}

fn draw() -> io::Result<()> {
    let timelines = timelines()?;
    let mut told = format!("{}\n\n", Table(&timelines));
    for (name, text) in files(&timelines) {
        fs::write(Path::new(FOLDER).join(&name), &text)?;
        // Writing to a text does not fail.
        let _ = writeln!(told, "src/docs/policies/{name:<20}{:>6} bytes", text.len());
    }
    match io::stdout().write_all(told.as_bytes()) {
        // Whoever read the output has seen enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn check() -> io::Result<()> {
    let others = made_otherwise(&timelines()?);
    if others.is_empty() {
        println!("the pictures are as they would be drawn");
        return Ok(());
    }
    Err(io::Error::other(format!(
        "not as they would be drawn: {}; draw them with `cargo run -p timelines`",
        others.join(", ")
    )))
}

/// The files that are not what a run makes, or are not there.
fn made_otherwise(timelines: &[Timeline]) -> Vec<String> {
    let is_other = |(name, text): &(String, String)| {
        let found = fs::read_to_string(Path::new(FOLDER).join(name));
        !found.is_ok_and(|found| found == *text)
    };
    let others = files(timelines).into_iter().filter(is_other);
    others.map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use afresh::Outcome;

    use super::*;

    #[test]
    fn the_pictures_are_those_of_a_run() {
        let others = made_otherwise(&timelines().expect("five runs"));
        let nothing: [&str; 0] = [];
        assert_eq!(
            others, nothing,
            "draw them with `cargo run -p timelines`, and look at them"
        );
    }

    #[test]
    fn every_call_is_counted_once() {
        for timeline in timelines().expect("five runs") {
            let stats = timeline.stats;
            let counted = [
                stats.hits_local,
                stats.stale,
                stats.computed,
                stats.coalesced,
                stats.timed_out,
            ];
            let calls = timeline.calls.len() as u64;
            let name = timeline.case.name;
            assert_eq!(counted.iter().sum::<u64>(), calls, "{name}: {stats:?}");
        }
    }

    #[test]
    fn nothing_lies_outside_its_picture() {
        for timeline in timelines().expect("five runs") {
            let oldest = timeline.calls.iter().filter_map(run::Called::age).max();
            assert!(oldest < Some(picture::OLDEST), "{}", timeline.case.name);
        }
    }

    /// What Markdown asks of a picture that is to be a block of its own.
    #[test]
    fn a_picture_is_small_and_can_stand_in_a_page() {
        for timeline in timelines().expect("five runs") {
            let picture = Picture(&timeline).to_string();
            let name = timeline.case.name;
            assert!(picture.len() < 30_000, "{name}: {} bytes", picture.len());
            let first = picture.lines().next().expect("a line");
            assert!(first.starts_with("<svg ") && first.ends_with('>'), "{name}");
            assert!(
                picture.lines().all(|line| !line.trim().is_empty()),
                "{name}"
            );
        }
    }

    /// The promise, as the guide says that the pictures show it.
    #[test]
    fn no_value_of_before_the_invalidation_is_got_after_it() {
        for timeline in timelines().expect("five runs") {
            let after = |call: &&run::Called| call.asked >= world::INVALIDATION;
            for call in timeline.calls.iter().filter(after) {
                let name = timeline.case.name;
                if let Ok(price) = call.price {
                    assert!(price.asked >= world::INVALIDATION, "{name}: {call:?}");
                }
                let is_stale = call.outcome == Outcome::Stale;
                assert!(
                    !is_stale || call.age() >= Some(shop::TTL),
                    "{name}: {call:?}"
                );
            }
        }
    }
}
