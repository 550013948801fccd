//! The command line. It touches neither files nor the cache.

use std::ffi::OsString;

pub(crate) const USAGE: &str = "Usage: timelines [--check]";

pub(crate) const HELP: &str = "\
Runs a cached function under each policy, second by second on a clock of its own,
prints what came of the calls, and draws the pictures of the guide to policies.

Usage: timelines [--check]

Options:
  --check     write nothing: say whether the pictures are as they would be drawn
  -h, --help  this text
";

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Draw the pictures.
    Draw,
    /// Compare them with what would be drawn.
    Check,
    Help,
}

/// Reads the arguments, without the program's name.
pub(crate) fn parse(args: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut command = Command::Draw;
    for arg in args {
        match arg.to_str() {
            Some("-h" | "--help") => return Ok(Command::Help),
            Some("--check") => command = Command::Check,
            _ => return Err(format!("unknown argument `{}`", arg.display())),
        }
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Command, String> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn what_is_asked_for_is_known() {
        assert_eq!(parsed(&[]), Ok(Command::Draw));
        assert_eq!(parsed(&["--check"]), Ok(Command::Check));
        assert_eq!(parsed(&["--check", "-h"]), Ok(Command::Help));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let unknown = |arg: &str| Err(format!("unknown argument `{arg}`"));
        assert_eq!(parsed(&["--chek"]), unknown("--chek"));
        assert_eq!(parsed(&["--check", "ttl"]), unknown("ttl"));
    }
}
