//! `cargo xtask storm`: runs the package `afresh-storm`, which is the storm, on a server that is
//! found as for the tests. Its options are that package's, and one that says how to build it.

use std::process::ExitCode;

use crate::server;
use crate::shell::cargo;

/// Leaves the sync functions out of the program: the connection is then kept on the runtime, and
/// not on a thread of its own.
pub(crate) const WITHOUT_SYNC: &str = "--without-sync";

/// The words of the command that storms with these options.
pub(crate) fn command<'a>(options: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["run", "--quiet", "-p", "afresh-storm"];
    if options.contains(&WITHOUT_SYNC) {
        words.push("--no-default-features");
    }
    words.push("--");
    words.extend(options.iter().filter(|option| **option != WITHOUT_SYNC));
    words
}

pub(crate) fn run(rest: &[String]) -> ExitCode {
    let server = match server::for_tests() {
        Ok(server) => server,
        Err(advice) => {
            eprintln!("{advice}");
            return ExitCode::FAILURE;
        }
    };
    let options: Vec<&str> = rest.iter().map(String::as_str).collect();
    let status = cargo(&command(&options))
        .env("AFRESH_TEST_SERVER", server)
        .status();
    match status {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_to_build_is_cargos() {
        let options = ["--seconds", "3", WITHOUT_SYNC];
        let built = "run --quiet -p afresh-storm --no-default-features -- --seconds 3";
        assert_eq!(command(&options).join(" "), built);
        let built = "run --quiet -p afresh-storm -- --seconds 3";
        assert_eq!(command(&options[..2]).join(" "), built);
    }
}
