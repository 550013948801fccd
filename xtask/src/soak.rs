//! `cargo xtask soak`: runs the package `afresh-soak`, which is the soak, on a server that is found as
//! for the tests. It is built as a release: what the optimiser costs is back after a million calls.
//! The options are those of the soak, and one that says how to build it.

use std::env;
use std::process::ExitCode;

use crate::server;
use crate::shell::cargo;
use crate::storm::WITHOUT_SYNC;

/// Where the picture is to be.
const PLOT: &str = "--plot";

pub(crate) fn run(rest: &[String]) -> ExitCode {
    let server = match server::for_tests() {
        Ok(server) => server,
        Err(advice) => {
            eprintln!("{advice}");
            return ExitCode::FAILURE;
        }
    };
    let mut options = rest.to_vec();
    // The soak runs in the root, wherever this was called.
    if let Some(file) = plot(&mut options)
        && let Ok(here) = env::current_dir()
    {
        *file = here.join(&*file).display().to_string();
    }
    match cargo(&command(&options))
        .env("AFRESH_TEST_SERVER", server)
        .status()
    {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            ExitCode::from(code.unwrap_or(1))
        }
        Err(error) => {
            eprintln!("cargo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The words of the command that soaks with these options.
fn command(options: &[String]) -> Vec<&str> {
    let mut words = vec!["run", "--quiet", "--release", "-p", "afresh-soak"];
    if options.iter().any(|option| option == WITHOUT_SYNC) {
        words.push("--no-default-features");
    }
    words.push("--");
    words.extend(
        options
            .iter()
            .map(String::as_str)
            .filter(|option| *option != WITHOUT_SYNC),
    );
    words
}

/// The picture's file, where one is asked for.
fn plot(options: &mut [String]) -> Option<&mut String> {
    let at = options.iter().position(|option| option == PLOT)?;
    options.get_mut(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn an_option_to_build_is_cargos() {
        let options = words("--calls 3 --without-sync");
        let built = "run --quiet --release -p afresh-soak --no-default-features -- --calls 3";
        assert_eq!(command(&options).join(" "), built);
        let built = "run --quiet --release -p afresh-soak -- --calls 3";
        assert_eq!(command(&options[..2]).join(" "), built);
    }

    #[test]
    fn the_pictures_file_is_found() {
        let mut options = words("--calls 3 --plot a.svg");
        assert_eq!(plot(&mut options).map(|file| file.as_str()), Some("a.svg"));
        assert_eq!(plot(&mut words("--calls 3 --plot")), None);
    }
}
