//! Whether a library does the right thing, as the scoreboard has it.

use serde::{Deserialize, Serialize};

/// What came of one behaviour with one library.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// The behaviour: `failing stampede`.
    pub behaviour: String,
    /// The library.
    pub library: String,
    /// Its version, and which way of using it.
    pub version: String,
    /// What was found.
    pub found: Found,
    /// The figure: `5 runs, 5.0 s`.
    pub figure: String,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// The right thing.
    Right,
    /// Something else.
    Wrong,
    /// The library has no such feature, and says so.
    NoSuchFeature,
}

impl Found {
    /// Right, if it is.
    pub fn right_if(is: bool) -> Self {
        if is { Self::Right } else { Self::Wrong }
    }
}

impl Verdict {
    /// Writes it to the program's output.
    pub fn write(&self) {
        eprintln!(
            "{:<36}{:<16}{:<16}{:?}: {}",
            self.behaviour, self.library, self.version, self.found, self.figure
        );
        super::write(&super::Line::Verdict(self.clone()));
    }
}
