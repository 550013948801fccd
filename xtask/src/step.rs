//! One step of a longer chore: a Cargo command whose output passes through, and what is worth
//! remembering of it: whether it succeeded and how many tests it ran.

use std::io::{self, BufRead as _, BufReader, Write};
use std::ops::AddAssign;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::shell::cargo;

/// A Cargo command with a name.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) words: Vec<&'static str>,
    pub(crate) variables: &'static [(&'static str, &'static str)],
}

impl Step {
    pub(crate) fn new(name: &'static str, words: impl Into<Vec<&'static str>>) -> Self {
        Self {
            name,
            words: words.into(),
            variables: &[],
        }
    }

    /// The command as one would type it.
    pub(crate) fn shown(&self) -> String {
        let variables = self
            .variables
            .iter()
            .map(|(name, value)| format!("{name}=\"{value}\" "));
        format!(
            "{}cargo {}",
            variables.collect::<String>(),
            self.words.join(" ")
        )
    }

    /// Runs it; the tests it ran, or `None` where it failed.
    pub(crate) fn run(&self, server: &std::ffi::OsStr) -> Option<Tally> {
        let mut command = cargo(&self.words);
        command
            .envs(self.variables.iter().copied())
            .env("AFRESH_TEST_SERVER", server);
        match pass_through(command, &mut io::stdout()) {
            Ok((true, tally)) => Some(tally),
            Ok((false, _)) => None,
            Err(error) => {
                eprintln!("`{}`: {error}", self.shown());
                None
            }
        }
    }
}

/// How many tests ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) ignored: u32,
}

impl Tally {
    /// Reads a harness's last line: `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn of(line: &str) -> Option<Self> {
        let counts = line.strip_prefix("test result: ")?;
        let count = |what: &str| {
            let part = counts
                .split([';', '.'])
                .find_map(|part| part.trim().strip_suffix(what))?;
            part.trim().parse().ok()
        };
        Some(Self {
            passed: count("passed")?,
            ignored: count("ignored")?,
        })
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.ignored += other.ignored;
    }
}

/// Runs a command, repeating what it prints line by line as it comes.
pub(crate) fn pass_through(
    mut command: Command,
    out: &mut impl Write,
) -> io::Result<(bool, Tally)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        let mut lines = BufReader::new(stdout);
        let mut line = Vec::new();
        // Bytes, since a test may print what is not UTF-8.
        while lines.read_until(b'\n', &mut line)? > 0 {
            out.write_all(&line)?;
            tally += Tally::of(&String::from_utf8_lossy(&line)).unwrap_or_default();
            line.clear();
        }
    }
    Ok((child.wait()?.success(), tally))
}

/// `0.4 s`, `12.3 s`, `2 min 05 s`.
pub(crate) fn shown(time: Duration) -> String {
    let tenths = (time.as_millis() + 50) / 100;
    let seconds = tenths / 10;
    if seconds < 60 {
        format!("{seconds}.{} s", tenths % 10)
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_short() {
        let shown = |millis| shown(Duration::from_millis(millis));
        assert_eq!(shown(40), "0.0 s");
        assert_eq!(shown(12_345), "12.3 s");
        assert_eq!(shown(59_960), "1 min 00 s");
        assert_eq!(shown(125_000), "2 min 05 s");
    }

    #[test]
    fn a_result_line_is_counted() {
        let line = "test result: ok. 14 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.05s\n";
        assert_eq!(
            Tally::of(line),
            Some(Tally {
                passed: 14,
                ignored: 2
            })
        );
        assert_eq!(Tally::of("test result_is_shown ... ok"), None);
    }

    #[test]
    fn output_is_counted_and_failure_seen() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            let mut out = Vec::new();
            let (success, tally) = pass_through(command, &mut out).expect("a shell");
            (success, tally, out)
        };
        let line = "echo 'test result: ok. 2 passed; 0 failed; 1 ignored;'";
        let (success, tally, out) = shell(&format!("{line}; {line}; printf '\\377'"));
        assert_eq!(
            (success, tally),
            (
                true,
                Tally {
                    passed: 4,
                    ignored: 2
                }
            )
        );
        assert!(
            out.ends_with(b"ignored;\n\xff"),
            "what is not UTF-8 passes too"
        );
        assert!(!shell("exit 3").0);
    }

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut step = Step::new("docs", ["doc", "--no-deps"]);
        step.variables = &[("RUSTDOCFLAGS", "-D warnings")];
        assert_eq!(
            step.shown(),
            "RUSTDOCFLAGS=\"-D warnings\" cargo doc --no-deps"
        );
    }
}
