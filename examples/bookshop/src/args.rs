//! The command line. It touches neither files nor the cache.

use std::ffi::OsString;
use std::path::PathBuf;

pub(crate) const USAGE: &str = "Usage: bookshop [--data FILE]";

pub(crate) const HELP: &str = "\
A small bookshop service, cached with afresh: runs a short story and prints
what came of each call.

Usage: bookshop [--data FILE]

Options:
  --data FILE   another catalogue: UTF-8, one book a line, four fields separated
                by tabs: title, author, year (may be empty), genres (separated
                by `;`). Lines that begin with `#` are not books.
  -h, --help    this text

Environment:
  AFRESH_URL     share the cache through this Redis, e.g. redis://127.0.0.1/
  AFRESH_PREFIX  what its keys there begin with (default: bookshop)
  NO_COLOR       no colour on a terminal
";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Tell the story, of this file or of the catalogue that ships.
    Run(Option<PathBuf>),
    Help,
}

/// Reads the arguments, without the program's name.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut args = args;
    let mut file = None;
    while let Some(arg) = args.next() {
        let given = match arg.to_str() {
            Some("-h" | "--help") => return Ok(Command::Help),
            Some("--data") => args.next().ok_or("--data needs a file")?,
            Some(text) if text.starts_with("--data=") => text["--data=".len()..].into(),
            _ => return Err(format!("unknown argument `{}`", arg.display())),
        };
        if given.is_empty() {
            return Err("--data needs a file".to_owned());
        }
        if file.replace(PathBuf::from(given)).is_some() {
            return Err("--data was given twice".to_owned());
        }
    }
    Ok(Command::Run(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Command, String> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn a_file_may_be_given_either_way() {
        assert_eq!(parsed(&[]), Ok(Command::Run(None)));
        assert_eq!(parsed(&["--data", "x"]), Ok(Command::Run(Some("x".into()))));
        assert_eq!(parsed(&["--data=x"]), Ok(Command::Run(Some("x".into()))));
        assert_eq!(parsed(&["-h"]), Ok(Command::Help));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(
            parsed(&["--date"]),
            Err("unknown argument `--date`".to_owned())
        );
        assert_eq!(parsed(&["--data"]), Err("--data needs a file".to_owned()));
        assert_eq!(parsed(&["--data="]), Err("--data needs a file".to_owned()));
        assert_eq!(
            parsed(&["--data=x", "--data", "y"]),
            Err("--data was given twice".to_owned())
        );
    }
}
