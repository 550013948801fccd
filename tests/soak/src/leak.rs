//! Leaks on purpose, to see that they are found: what a soak that finds nothing is worth.

use std::fs::File;
use std::str::FromStr;

/// What is leaked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leak {
    /// A kilobyte at each tenth call.
    Memory,
    /// A file descriptor at each thousandth of a hundred thousand calls.
    Files,
    /// A task that never ends, as often.
    Tasks,
}

impl FromStr for Leak {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "memory" => Ok(Self::Memory),
            "files" => Ok(Self::Files),
            "tasks" => Ok(Self::Tasks),
            other => Err(format!(
                "there is no leak of `{other}`: memory, files or tasks"
            )),
        }
    }
}

impl Leak {
    /// Leaks at some of the calls.
    pub(crate) fn one(self, call: u64) {
        match self {
            Self::Memory if call % 10 == 0 => {
                // Written to: what is only reserved is not resident.
                std::mem::forget(vec![7_u8; 4_096]);
            }
            Self::Files if call % 20_000 == 0 => {
                std::mem::forget(File::open("/dev/null"));
            }
            Self::Tasks if call % 20_000 == 0 => {
                drop(tokio::spawn(std::future::pending::<()>()));
            }
            _ => {}
        }
    }
}
