//! The checker: holds the history of a storm to the promise. It has a reader and a law of its own, and
//! shares no code with the cache nor with the storm.
//!
//! `cargo run -p afresh-checker -- FOLDER` takes the folder that `cargo xtask storm --history FOLDER`
//! wrote, prints what it checked, and ends with 1 where the promise was broken or the history cannot
//! be true, and with 2 where it cannot be read.

#[cfg(test)]
mod agreement;
mod format;
mod law;
mod shown;
mod story;
mod trial;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use story::Story;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let [folder] = &words[..] else {
        eprintln!("the checker takes one argument: the folder of a history");
        return ExitCode::from(2);
    };
    match check(Path::new(folder)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}: {error}", Path::new(folder).display());
            ExitCode::from(2)
        }
    }
}

/// Checks the storm of every deployment; whether all is well.
fn check(folder: &Path) -> io::Result<bool> {
    let mut well = true;
    for storm in storms(folder)? {
        let story = Story::read(&storm)?;
        let outcome = trial::hold(&story)?;
        println!("{}", shown::figures(&story, &outcome).trim_end());
        let faults = shown::faults(&story, &outcome);
        if !faults.is_empty() {
            well = false;
            println!("{faults}");
        }
    }
    Ok(well)
}

/// The folders that hold a storm.
fn storms(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut storms = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.join("parent").is_file() {
            storms.push(path);
        }
    }
    if storms.is_empty() {
        let why = "it holds no history";
        return Err(io::Error::new(io::ErrorKind::NotFound, why));
    }
    storms.sort();
    Ok(storms)
}
