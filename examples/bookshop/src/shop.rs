//! The bookshop: what it can be asked. Every question is a query behind `#[cached]`; the
//! changes, which invalidate, are in `edit`.
//!
//! The tags, each on what shows the thing it names:
//! - `book:7`: the details of book 7;
//! - `genre:sea`: the list of that genre;
//! - `titles`: whatever may show any book's title (pages, searches).
//!
//! `window` has none: it is made of other answers, and takes over theirs.

use std::fmt;

use afresh::cached;
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use crate::db::Db;

/// How many books a page has.
const PAGE: u32 = 10;

/// A book with all that the shop knows of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Book {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) author: String,
    pub(crate) year: Option<i32>,
    /// In alphabetical order.
    pub(crate) genres: Vec<String>,
}

/// A book as lists show it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) author: String,
}

/// A page of all books in the order of their titles.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) lines: Vec<Line>,
    /// How many pages there are.
    pub(crate) of: u32,
}

/// The shop in numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Statistics {
    pub(crate) books: u32,
    pub(crate) authors: u32,
    /// Each genre with how many books it has, the largest first.
    pub(crate) genres: Vec<(String, u32)>,
}

/// What passers-by see.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Window {
    pub(crate) titles: Vec<String>,
    /// How many books there are in all.
    pub(crate) books: u32,
}

/// Why a question or a change failed. Cloned to all who waited for the same compute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ShopError {
    NoSuchBook(i64),
    /// The book is not on the shelves that the caller saw it on.
    Moved(i64),
    Database(String),
}

impl fmt::Display for ShopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchBook(id) => write!(f, "there is no book {id}"),
            Self::Moved(id) => write!(f, "book {id} was moved meanwhile"),
            Self::Database(message) => write!(f, "the database failed: {message}"),
        }
    }
}

impl std::error::Error for ShopError {}

impl From<rusqlite::Error> for ShopError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}

/// A book's details, with its author and genres.
#[cached(ttl = "30m", key = "book:{id}", tags = ["book:{id}"], singleflight)]
pub(crate) async fn book(db: &Db, id: i64) -> Result<Book, ShopError> {
    db.trip(move |sql| {
        let query = "SELECT title, name, year FROM books
                     JOIN authors ON authors.id = author WHERE books.id = ?1";
        let (title, author, year) = sql
            .query_row(query, [id], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?
            .ok_or(ShopError::NoSuchBook(id))?;
        let mut shelves =
            sql.prepare_cached("SELECT genre FROM shelves WHERE book = ?1 ORDER BY genre")?;
        let genres = shelves
            .query_map([id], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(Book {
            id,
            title,
            author,
            year,
            genres,
        })
    })
    .await
}

/// All books of a genre, by title.
#[cached(ttl = "10m", key = "{genre}", tags = ["genre:{genre}"], singleflight)]
pub(crate) async fn by_genre(db: &Db, genre: &str) -> Result<Vec<Line>, ShopError> {
    let genre = genre.to_owned();
    db.trip(move |sql| {
        let mut query = sql.prepare_cached(
            "SELECT books.id, title, name FROM shelves
             JOIN books ON books.id = book JOIN authors ON authors.id = author
             WHERE genre = ?1 ORDER BY folded",
        )?;
        Ok(query.query_map([genre], line)?.collect::<Result<_, _>>()?)
    })
    .await
}

/// One page of all books, by title; pages count from 1.
#[cached(ttl = "10m", key = "{number}", tags = ["titles"], singleflight)]
pub(crate) async fn page(db: &Db, number: u32) -> Result<Page, ShopError> {
    db.trip(move |sql| {
        let books: u32 = sql.query_row("SELECT count(*) FROM books", [], |row| row.get(0))?;
        let mut query = sql.prepare_cached(
            "SELECT books.id, title, name FROM books JOIN authors ON authors.id = author
             ORDER BY folded, books.id LIMIT ?1 OFFSET ?2",
        )?;
        let skipped = number.saturating_sub(1).saturating_mul(PAGE);
        let lines = query
            .query_map([PAGE, skipped], line)?
            .collect::<Result<_, _>>()?;
        Ok(Page {
            lines,
            of: books.div_ceil(PAGE),
        })
    })
    .await
}

/// The books whose title contains the words. The key is the words as they are compared, so that
/// spellings which find the same books share one entry.
#[cached(ttl = "10m", key = folded(words), tags = ["titles"], singleflight)]
pub(crate) async fn search(db: &Db, words: &str) -> Result<Vec<Line>, ShopError> {
    let words = folded(words);
    db.trip(move |sql| {
        let mut query = sql.prepare_cached(
            "SELECT books.id, title, name FROM books JOIN authors ON authors.id = author
             WHERE instr(folded, ?1) > 0 ORDER BY folded",
        )?;
        Ok(query.query_map([words], line)?.collect::<Result<_, _>>()?)
    })
    .await
}

/// The shop in numbers. No tags: the changes that move a number name this call in `entries`.
#[cached(ttl = "1h", skip(db), singleflight)]
pub(crate) async fn statistics(db: &Db) -> Result<Statistics, ShopError> {
    db.trip(|sql| {
        let count = "SELECT count(*), count(DISTINCT author) FROM books";
        let (books, authors) = sql.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut query = sql.prepare_cached(
            "SELECT genre, count(*) AS books FROM shelves GROUP BY genre ORDER BY books DESC, genre",
        )?;
        let genres = query
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        Ok(Statistics { books, authors, genres })
    })
    .await
}

/// The shop window: some books, and how many more there are. It has no query of its own and no tag:
/// it goes when one of the answers goes that it is made of.
#[cached(ttl = "1h", key = ids, singleflight)]
pub(crate) async fn window(db: &Db, ids: &[i64]) -> Result<Window, ShopError> {
    let mut titles = Vec::new();
    for &id in ids {
        titles.push(book(db, id).await?.title);
    }
    let books = statistics(db).await?.books;
    Ok(Window { titles, books })
}

fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
    Ok(Line {
        id: row.get(0)?,
        title: row.get(1)?,
        author: row.get(2)?,
    })
}

/// Words as they are compared: lower case, one blank between them.
fn folded(words: &str) -> String {
    words
        .to_lowercase()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    /// What a change names is on some answer, and what is on an answer some change names.
    #[test]
    fn no_tag_is_on_one_side_only() {
        afresh::testing::assert_no_orphan_tags();
    }
}
