//! `cargo xtask model`: runs the package `afresh-model`, which visits every state of the models of
//! the protocol. Its options are that package's.

use std::process::ExitCode;

use crate::shell::cargo;

pub(crate) fn run(rest: &[String]) -> ExitCode {
    let mut words = vec!["run", "--quiet", "-p", "afresh-model", "--"];
    words.extend(rest.iter().map(String::as_str));
    match cargo(&words).status() {
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
