//! `cargo xtask bench`: runs the workspace `benches`, which measures afresh beside its peers. What it
//! takes to measure, and what is done with the figures, is there.

use std::process::ExitCode;

use crate::shell::cargo;

pub(crate) fn run(rest: &[String]) -> ExitCode {
    match cargo(&command(rest)).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The words of the command that runs it: as a release, with the versions of its lock file.
fn command(options: &[String]) -> Vec<&str> {
    let mut words = vec!["run", "--quiet", "--release", "--locked"];
    words.extend([
        "--manifest-path",
        "benches/Cargo.toml",
        "-p",
        "afresh-bench",
        "--",
    ]);
    words.extend(options.iter().map(String::as_str));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_passed_on() {
        let words = ["--only".to_owned(), "local".to_owned()];
        let words = command(&words);
        assert_eq!(words[words.len() - 3..], ["--", "--only", "local"]);
    }
}
