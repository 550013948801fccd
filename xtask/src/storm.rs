//! `cargo xtask storm`: runs the package `afresh-storm`, which is the storm, on a server that is
//! found as for the tests. Its options are that package's.

use std::process::ExitCode;

use crate::server;
use crate::shell::cargo;

/// The words of the command that storms with these options.
pub(crate) fn command<'a>(options: &[&'a str]) -> Vec<&'a str> {
    [&["run", "--quiet", "-p", "afresh-storm", "--"], options].concat()
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
