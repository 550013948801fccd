//! Who plays in the story: chosen from whatever catalogue was given, so that every file with a
//! book in it has a story. It only reads the catalogue.

use std::collections::{HashMap, HashSet};

use crate::data::Record;
use crate::shop::Book;

/// A genre for a book to move to, where the catalogue has no other.
const SPARE: &str = "rarities";

/// The parts, and the catalogue in numbers.
#[derive(Debug)]
pub(crate) struct Cast {
    /// The book that is renamed, moved and deleted: the first of the file.
    pub(crate) subject: Book,
    /// Where it is moved to: the first genre that it is not in.
    pub(crate) to: String,
    /// The largest genre that no change reaches.
    pub(crate) bystander: Option<String>,
    /// Books that no change reaches.
    pub(crate) others: Vec<i64>,
    pub(crate) books: usize,
    pub(crate) authors: usize,
    pub(crate) genres: usize,
}

impl Cast {
    /// Which books are in the window: the one that is changed, beside others.
    pub(crate) fn window(&self) -> Vec<i64> {
        let others = self.others.iter().copied();
        [self.subject.id].into_iter().chain(others).collect()
    }

    /// `records` holds at least one book; the database gives the n-th the id n.
    pub(crate) fn choose(records: &[Record]) -> Self {
        let Record {
            title,
            author,
            year,
            genres,
        } = records[0].clone();
        let sizes = sizes(records);
        let mut rest = sizes
            .iter()
            .filter(|(genre, _)| !genres.iter().any(|own| own == genre));
        let to = rest.next().map_or(SPARE, |(genre, _)| genre).to_owned();
        // Of equals the first.
        let bystander = rest.rev().max_by_key(|(_, size)| *size);
        let authors: HashSet<_> = records.iter().map(|record| &record.author).collect();
        Self {
            to,
            bystander: bystander.map(|(genre, _)| (*genre).to_owned()),
            others: (2..).take(records.len().min(3) - 1).collect(),
            books: records.len(),
            authors: authors.len(),
            genres: sizes.len(),
            subject: Book {
                id: 1,
                title,
                author,
                year,
                genres,
            },
        }
    }

    /// Where the subject is moved from: its first genre.
    pub(crate) fn from(&self) -> &str {
        &self.subject.genres[0]
    }

    /// A word to search for: the longest of the subject's title.
    pub(crate) fn word(&self) -> String {
        let words = self.subject.title.split(|c: char| !c.is_alphanumeric());
        words
            .rev()
            .max_by_key(|word| word.chars().count())
            .unwrap_or_default()
            .to_lowercase()
    }
}

/// The genres in the order of the file, each with how many books it has.
fn sizes(records: &[Record]) -> Vec<(&str, usize)> {
    let mut places = HashMap::new();
    let mut sizes: Vec<(&str, usize)> = Vec::new();
    for genre in records.iter().flat_map(|record| &record.genres) {
        let place = *places.entry(genre.as_str()).or_insert(sizes.len());
        if place == sizes.len() {
            sizes.push((genre, 0));
        }
        sizes[place].1 += 1;
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Catalogue;

    fn cast(text: &str) -> Cast {
        Cast::choose(&Catalogue::parse(text.as_bytes()).records)
    }

    #[test]
    fn one_book_is_enough() {
        let cast = cast("Emma\tJane Austen\t\tromance");
        assert_eq!((cast.from(), cast.to.as_str()), ("romance", SPARE));
        assert_eq!((cast.bystander, cast.others), (None, vec![]));
    }

    #[test]
    fn the_bystander_is_the_largest_genre_out_of_reach() {
        let cast = cast("A\tX\t\ta;b\nB\tX\t\tb;c\nC\tX\t\td\nD\tX\t\te;b\nE\tX\t\te");
        assert_eq!((cast.from(), cast.to.as_str()), ("a", "c"));
        assert_eq!(cast.bystander.as_deref(), Some("e"));
        assert_eq!(cast.others, [2, 3]);
    }

    #[test]
    fn the_word_is_the_longest() {
        assert_eq!(cast("R.U.R.: Rossum's\tX\t\ta").word(), "rossum");
        assert_eq!(cast("???\tX\t\ta").word(), "");
    }
}
