//! What all the programs here share: measuring in turn (A B A B …), the figures of a series, and
//! the lines that a program writes and the report reads. What is measured, and what of it is
//! promised, is not here.

mod book;
mod order;
mod series;
mod verdict;

pub use book::Book;
pub use order::order;
pub use series::{Contender, Point, Series, Spread, in_turn};
pub use verdict::{Found, Verdict};

/// One line of a program's output.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// Times, or whatever was counted.
    Series(Series),
    /// Whether a library does the right thing.
    Verdict(Verdict),
}

impl Line {
    /// Reads a line; none, where it is none of these.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// Writes a line to the program's output.
fn write(line: &Line) {
    let text = serde_json::to_string(line).expect("plain data");
    println!("{text}");
}

/// What the program was given after this word on its command line.
pub fn option(name: &str) -> Option<String> {
    let mut words = std::env::args().skip_while(|word| word != name);
    words.nth(1)
}

/// A number on the command line; or this one.
///
/// # Panics
///
/// Where what stands there is no number.
pub fn number(name: &str, otherwise: usize) -> usize {
    option(name).map_or(otherwise, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("`{name}` takes a number, not `{text}`"))
    })
}
