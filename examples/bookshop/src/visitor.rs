//! The visitor: makes the shop's calls one at a time and prints a row for each, with its outcome,
//! its time and what was answered. In which order, and why, is the story's.

use std::io;
use std::time::Instant;

use afresh::outcome;

use crate::db::Db;
use crate::print::Printer;
use crate::shop::{Book, Line, Page, ShopError, Statistics, Window};
use crate::shop::{book, by_genre, page, search, statistics, window};

/// Who asks.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) db: Db,
    pub(crate) printer: Printer,
    /// The book to look out for in lists.
    pub(crate) looks_for: i64,
    /// How many questions were asked.
    pub(crate) calls: usize,
}

impl Visitor {
    pub(crate) async fn book(&mut self, id: i64) -> io::Result<Option<Book>> {
        let db = self.db.clone();
        self.ask(&format!("book {id}"), book(&db, id), describe_book)
            .await
    }

    pub(crate) async fn genre(&mut self, genre: &str) -> io::Result<()> {
        let (db, looks_for) = (self.db.clone(), self.looks_for);
        let describe = |lines: &Vec<Line>| describe_lines(lines, looks_for);
        self.ask(&genre_call(genre), by_genre(&db, genre), describe)
            .await
            .map(drop)
    }

    pub(crate) async fn page(&mut self, number: u32) -> io::Result<()> {
        let db = self.db.clone();
        self.ask(&format!("page {number}"), page(&db, number), describe_page)
            .await
            .map(drop)
    }

    pub(crate) async fn search(&mut self, words: &str) -> io::Result<()> {
        let (db, looks_for) = (self.db.clone(), self.looks_for);
        let describe = |lines: &Vec<Line>| describe_lines(lines, looks_for);
        self.ask(&format!("search \"{words}\""), search(&db, words), describe)
            .await
            .map(drop)
    }

    pub(crate) async fn statistics(&mut self) -> io::Result<()> {
        let db = self.db.clone();
        self.ask("statistics", statistics(&db), describe_statistics)
            .await
            .map(drop)
    }

    pub(crate) async fn window(&mut self, ids: &[i64]) -> io::Result<()> {
        let db = self.db.clone();
        self.ask("window", window(&db, ids), describe_window)
            .await
            .map(drop)
    }

    /// Makes one call and prints its row. The answer, unless it is an error.
    async fn ask<T>(
        &mut self,
        call: &str,
        asked: impl Future<Output = Result<T, ShopError>>,
        describe: impl FnOnce(&T) -> String,
    ) -> io::Result<Option<T>> {
        self.calls += 1;
        let started = Instant::now();
        let (answer, outcome) = outcome(asked).await;
        let time = started.elapsed();
        let text = answer
            .as_ref()
            .map_or_else(|error| format!("error: {error}"), describe);
        self.printer.row(call, outcome, time, &text)?;
        Ok(answer.ok())
    }

    /// Makes one change and prints its row, and below it what the change invalidates.
    pub(crate) async fn change(
        &mut self,
        call: &str,
        done: &str,
        invalidates: &str,
        made: impl Future<Output = Result<(), ShopError>>,
    ) -> io::Result<()> {
        let started = Instant::now();
        let made = made.await;
        let time = started.elapsed();
        match made {
            Ok(()) => {
                self.printer.row(call, "changed", time, done)?;
                self.printer
                    .text(format_args!("  invalidates {invalidates}"))
            }
            Err(error) => self
                .printer
                .row(call, "refused", time, &format!("error: {error}")),
        }
    }
}

pub(crate) fn genre_call(genre: &str) -> String {
    format!("genre \"{genre}\"")
}

/// A number and its noun.
pub(crate) fn plural(count: impl TryInto<u64>, one: &str, many: &str) -> String {
    match count.try_into() {
        Ok(1) => format!("1 {one}"),
        Ok(count) => format!("{count} {many}"),
        Err(_) => format!("many {many}"),
    }
}

fn describe_book(book: &Book) -> String {
    let year = book
        .year
        .map_or_else(|| "year not certain".to_owned(), |year| year.to_string());
    format!("{year}, {}: {}", book.author, book.title)
}

/// How many there are, and the title of one: the book that is looked for, else the first.
fn describe_lines(lines: &[Line], looks_for: i64) -> String {
    let count = plural(lines.len(), "book", "books");
    match lines
        .iter()
        .find(|line| line.id == looks_for)
        .or(lines.first())
    {
        Some(shown) if lines.len() > 1 => format!("{count}, one is {}", shown.title),
        Some(only) => format!("{count}: {}", only.title),
        None => count,
    }
}

fn describe_page(page: &Page) -> String {
    let first = page.lines.first().map_or("", |line| &line.title);
    format!("of {}, from {first}", page.of)
}

fn describe_window(window: &Window) -> String {
    let others = window.books.saturating_sub(window.titles.len() as u32);
    let titles = window.titles.join("; ");
    format!("{others} more than {titles}")
}

fn describe_statistics(numbers: &Statistics) -> String {
    let Statistics {
        books,
        authors,
        genres,
    } = numbers;
    let largest = genres
        .first()
        .map_or_else(String::new, |(genre, n)| format!(", {n} in {genre}"));
    let books = plural(*books, "book", "books");
    let authors = plural(*authors, "author", "authors");
    format!("{books} by {authors}{largest}")
}
