//! The catalogue file: its form, its parser, and the catalogue that ships with the program. It
//! says what is wrong with a line; printing that is left to the caller.
//!
//! One book a line, UTF-8, four fields separated by tabs: title, author, year of first
//! publication as a book (may be empty), genres (at least one, separated by `;`). Empty lines and
//! lines that begin with `#` are not books.

use std::collections::HashMap;
use std::fmt;

/// The catalogue beside this program: books first published before 1929 by authors who died
/// before 1955. A year is given only where sources agree on the first complete edition: it is
/// empty for works older than printing, where parts that came out over the years are dated
/// differently, and where the book was dated a year ahead of the day it was sold.
pub(crate) const BUILT_IN: (&str, &[u8]) = ("data/books.tsv", include_bytes!("../data/books.tsv"));

/// One book as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) title: String,
    pub(crate) author: String,
    pub(crate) year: Option<i32>,
    pub(crate) genres: Vec<String>,
}

/// A line that is not a book, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadLine {
    pub(crate) number: usize,
    pub(crate) problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    NotUtf8,
    Fields(usize),
    Control,
    Empty(&'static str),
    Year(String),
    Repeats(usize),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::Fields(found) => write!(f, "expected 4 fields, found {found}"),
            Self::Control => f.write_str("contains a control character"),
            Self::Empty(field) => write!(f, "the {field} is empty"),
            Self::Year(text) => write!(f, "the year `{text}` is not a number from 1 to 9999"),
            Self::Repeats(first) => write!(f, "the same title and author as line {first}"),
        }
    }
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    pub(crate) records: Vec<Record>,
    pub(crate) bad: Vec<BadLine>,
}

impl Catalogue {
    /// Reads every line; a bad one is noted and stops nothing else.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut catalogue = Self::default();
        let mut seen = HashMap::new();
        for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1..) {
            let record = match parse_line(line) {
                Ok(None) => continue,
                Ok(Some(record)) => record,
                Err(problem) => {
                    catalogue.bad.push(BadLine { number, problem });
                    continue;
                }
            };
            let first = *seen
                .entry((record.title.clone(), record.author.clone()))
                .or_insert(number);
            if first == number {
                catalogue.records.push(record);
            } else {
                catalogue.bad.push(BadLine {
                    number,
                    problem: Problem::Repeats(first),
                });
            }
        }
        catalogue
    }

    /// A number that differs between catalogues: 64-bit FNV-1a of their books. Two runs on equal
    /// data agree on it, whatever the build.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for record in &self.records {
            for byte in format!("{record:?}\n").bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        hash
    }
}

/// `None` for a line that holds no book and is not meant to.
fn parse_line(line: &[u8]) -> Result<Option<Record>, Problem> {
    let line = str::from_utf8(line).map_err(|_| Problem::NotUtf8)?;
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.trim().is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
    let &[title, author, year, genres] = fields.as_slice() else {
        return Err(Problem::Fields(fields.len()));
    };
    // They would be printed: a terminal obeys some of them.
    if fields.iter().any(|field| field.contains(char::is_control)) {
        return Err(Problem::Control);
    }
    if title.is_empty() {
        return Err(Problem::Empty("title"));
    }
    if author.is_empty() {
        return Err(Problem::Empty("author"));
    }
    Ok(Some(Record {
        title: title.to_owned(),
        author: author.to_owned(),
        year: parse_year(year)?,
        genres: parse_genres(genres)?,
    }))
}

fn parse_year(text: &str) -> Result<Option<i32>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(year @ 1..=9999) => Ok(Some(year)),
        _ => Err(Problem::Year(text.to_owned())),
    }
}

fn parse_genres(text: &str) -> Result<Vec<String>, Problem> {
    let mut genres: Vec<String> = Vec::new();
    for genre in text
        .split(';')
        .map(str::trim)
        .filter(|genre| !genre.is_empty())
    {
        if !genres.iter().any(|known| known == genre) {
            genres.push(genre.to_owned());
        }
    }
    if genres.is_empty() {
        Err(Problem::Empty("list of genres"))
    } else {
        Ok(genres)
    }
}

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
