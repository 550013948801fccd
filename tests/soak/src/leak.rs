//! Leaks on purpose, to see that they are found: what a soak that finds nothing is worth.

use std::fs::File;
use std::str::FromStr;

/// What is leaked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leak {
    /// Sixteen kilobytes at each tenth call.
    Memory,
    /// A file descriptor at each five-thousandth call.
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
            Self::Memory if call.is_multiple_of(10) => {
                // Written to: what is only reserved is not resident.
                std::mem::forget(vec![7_u8; 16_384]);
            }
            Self::Files if call.is_multiple_of(5_000) => {
                std::mem::forget(File::open("/dev/null"));
            }
            Self::Tasks if call.is_multiple_of(5_000) => {
                drop(tokio::spawn(std::future::pending::<()>()));
            }
            _ => {}
        }
    }
}
