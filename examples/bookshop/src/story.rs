//! The story: who asks what, in which order, and what is said of it. It uses the shop as any
//! caller would; it touches the cache only for `stats` and for the first step of a shared run.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use afresh::{Cache, outcome};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::cast::Cast;
use crate::data::Catalogue;
use crate::db::{Db, NETWORK};
use crate::edit::{delete, move_genre, rename, shown_in};
use crate::print::{Printer, clock};
use crate::shop::{Book, by_genre, statistics};
use crate::visitor::{Visitor, genre_call, plural};

/// How many ask at once in the stampede.
const CALLERS: usize = 200;

/// What a run without a shared cache says at its end.
const HOW_TO_SHARE: &str = "\
The same code shares its cache between processes through a Redis; run it twice, and the
second run finds what the first stored:
  AFRESH_URL=redis://127.0.0.1/ cargo run -p bookshop";

/// The state of the telling.
#[derive(Debug)]
pub(crate) struct Story {
    cast: Cast,
    shared: bool,
    visitor: Visitor,
    /// How many answers an earlier run had left for this one.
    found: u64,
}

impl Story {
    pub(crate) fn new(db: Db, catalogue: &Catalogue, shared: bool, printer: Printer) -> Self {
        let cast = Cast::choose(&catalogue.records);
        let visitor = Visitor {
            db,
            printer,
            looks_for: cast.subject.id,
            calls: 0,
        };
        Self {
            cast,
            shared,
            visitor,
            found: 0,
        }
    }

    /// Tells it all.
    pub(crate) async fn tell(mut self, name: &str) -> io::Result<()> {
        self.open(name).await?;
        self.stampede().await?;
        self.ask_twice().await?;
        if let Some(subject) = self.rename().await? {
            self.move_genre(&subject).await?;
            self.delete().await?;
        }
        self.close()
    }

    async fn open(&mut self, name: &str) -> io::Result<()> {
        let Cast {
            books,
            authors,
            genres,
            ..
        } = &self.cast;
        let books = plural(*books, "book", "books");
        let authors = plural(*authors, "author", "authors");
        let genres = plural(*genres, "genre", "genres");
        let wait = clock(NETWORK);
        let cache = if self.shared {
            "shared, at AFRESH_URL"
        } else {
            "in this process"
        };
        self.visitor.printer.title("A bookshop, cached")?;
        self.visitor.printer.text(format_args!(
            "catalogue  {books} by {authors} in {genres}, from {name}\n\
             database   SQLite in this process; each query first waits {wait}, as across a network\n\
             cache      {cache}",
        ))?;
        if self.shared {
            self.forget_the_last_run().await
        } else {
            Ok(())
        }
    }

    /// Each run has a database of its own. What this story changes, an earlier run changed in
    /// its own; the rest is equal in both, and may be shared.
    async fn forget_the_last_run(&mut self) -> io::Result<()> {
        let mut tags = shown_in(&self.cast.subject);
        tags.push(format!("genre:{}", self.cast.to));
        let tags = Cache::global().invalidate(tags).await;
        let numbers = afresh::entry(statistics(&self.visitor.db))
            .invalidate()
            .await;
        let note = match tags.and(numbers) {
            Ok(()) => {
                "each run seeds its own database, so it begins by invalidating what the story \
                 changes"
                    .to_owned()
            }
            // What is owed is not served here, so the story stays true.
            Err(error) => error.to_string(),
        };
        self.visitor.printer.text(format_args!("           {note}"))
    }

    async fn stampede(&mut self) -> io::Result<()> {
        self.visitor
            .printer
            .section(format_args!("Stampede: {CALLERS} callers ask at once"))?;
        let genre = self.cast.from();
        let before = self.visitor.db.trips();
        let outcomes = crowd(&self.visitor.db, genre).await;
        let queries = self.visitor.db.trips() - before;
        self.visitor.calls += CALLERS;
        for (outcome, count, slowest) in outcomes {
            let callers = plural(count, "caller", "callers");
            self.visitor
                .printer
                .row(&genre_call(genre), outcome, slowest, &callers)?;
        }
        let queries = plural(queries, "query", "queries");
        self.visitor
            .printer
            .text(format_args!("{queries} for all of them"))
    }

    async fn ask_twice(&mut self) -> io::Result<()> {
        self.visitor
            .printer
            .section("The first to ask computes, the next one hits")?;
        let word = self.cast.word();
        // Another spelling, the same key.
        for words in [word.clone(), format!(" {} ", word.to_uppercase())] {
            self.visitor.book(self.cast.subject.id).await?;
            for other in &self.cast.others {
                self.visitor.book(*other).await?;
            }
            if let Some(genre) = &self.cast.bystander {
                self.visitor.genre(genre).await?;
            }
            self.visitor.page(1).await?;
            self.visitor.search(&words).await?;
            self.visitor.statistics().await?;
            self.visitor.window(&self.cast.window()).await?;
            if words == word {
                // Later ones may be this run's own: what is in doubt here is looked up there.
                self.found = Cache::global().stats().hits_shared;
                self.visitor.printer.gap()?;
            }
        }
        Ok(())
    }

    async fn rename(&mut self) -> io::Result<Option<Book>> {
        self.visitor
            .printer
            .section("A rename reaches what shows the title, and nothing else")?;
        let Some(subject) = self.visitor.book(self.cast.subject.id).await? else {
            return Ok(None);
        };
        let title = format!("{} (new edition)", subject.title);
        let (db, tags) = (self.visitor.db.clone(), shown_in(&subject).join(", "));
        let (call, done) = (
            format!("rename book {}", subject.id),
            format!("now {title}"),
        );
        self.visitor
            .change(&call, &done, &tags, rename(&db, &subject, &title))
            .await?;
        self.visitor.book(subject.id).await?;
        for genre in &subject.genres {
            self.visitor.genre(genre).await?;
        }
        self.visitor.search(&self.cast.word()).await?;
        self.visitor.page(1).await?;
        // No tag is written on it: it is made of the book.
        self.visitor.window(&self.cast.window()).await?;
        self.visitor.statistics().await?;
        self.untouched().await?;
        Ok(Some(subject))
    }

    async fn move_genre(&mut self, subject: &Book) -> io::Result<()> {
        self.visitor
            .printer
            .section("A move reaches two genres and the statistics")?;
        let (db, id) = (self.visitor.db.clone(), subject.id);
        let (from, to) = (self.cast.from(), self.cast.to.as_str());
        self.visitor.genre(to).await?;
        let (call, done) = (format!("move book {id}"), format!("from {from} to {to}"));
        let tags = format!("book:{id}, genre:{from}, genre:{to}, the entry of statistics");
        self.visitor
            .change(&call, &done, &tags, move_genre(&db, id, from, to))
            .await?;
        self.visitor.genre(from).await?;
        self.visitor.genre(to).await?;
        self.visitor.statistics().await?;
        self.visitor.window(&self.cast.window()).await?;
        for genre in subject.genres.iter().filter(|genre| *genre != from) {
            self.visitor.genre(genre).await?;
        }
        self.visitor.page(1).await?;
        self.untouched().await
    }

    async fn delete(&mut self) -> io::Result<()> {
        self.visitor
            .printer
            .section("A deletion, and an error, which is never stored")?;
        let Some(subject) = self.visitor.book(self.cast.subject.id).await? else {
            return Ok(());
        };
        let (db, call) = (
            self.visitor.db.clone(),
            format!("delete book {}", subject.id),
        );
        let tags = format!("{}, the entry of statistics", shown_in(&subject).join(", "));
        self.visitor
            .change(&call, "gone", &tags, delete(&db, &subject))
            .await?;
        self.visitor.book(subject.id).await?;
        self.visitor.book(subject.id).await?;
        self.visitor.genre(&self.cast.to).await?;
        self.visitor.statistics().await?;
        self.untouched().await
    }

    /// What no change of the story reaches.
    async fn untouched(&mut self) -> io::Result<()> {
        if let Some(other) = self.cast.others.first() {
            self.visitor.book(*other).await?;
        }
        if let Some(genre) = &self.cast.bystander {
            self.visitor.genre(genre).await?;
        }
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.visitor.printer.section("What invalidates what")?;
        self.visitor.printer.text(afresh::catalog())?;
        let stats = Cache::global().stats();
        let queries = plural(self.visitor.db.trips(), "query", "queries");
        let calls = plural(self.visitor.calls, "question", "questions");
        let printer = &mut self.visitor.printer;
        printer.section("In numbers")?;
        printer.text(stats)?;
        printer.gap()?;
        printer.text(format_args!(
            "{calls} were asked; the database answered {queries}."
        ))?;
        match (self.shared, self.found) {
            (false, _) => printer.text(HOW_TO_SHARE),
            (true, 0) if stats.store_errors > 0 => {
                printer.text("The server could not be used; every call was answered without it.")
            }
            (true, 0) => printer.text(
                "Nothing that an earlier run stored still held. Run it again within ten minutes: \
                 it will.",
            ),
            (true, hits) => {
                let answers = plural(hits, "answer", "answers");
                printer.text(format_args!(
                    "{answers} came from what an earlier run had stored."
                ))
            }
        }
    }
}

/// All callers, each a task, are let go together. Each outcome that occurred, with how many had
/// it and the slowest of them; the rarest first.
async fn crowd(db: &Db, genre: &str) -> Vec<(String, usize, Duration)> {
    let barrier = Arc::new(Barrier::new(CALLERS));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (db, genre, barrier) = (db.clone(), genre.to_owned(), Arc::clone(&barrier));
        callers.spawn(async move {
            barrier.wait().await;
            let started = Instant::now();
            let (_, outcome) = outcome(by_genre(&db, &genre)).await;
            (outcome.to_string(), started.elapsed())
        });
    }
    let mut outcomes: Vec<(String, usize, Duration)> = Vec::new();
    for (outcome, time) in callers.join_all().await {
        match outcomes.iter_mut().find(|(known, ..)| *known == outcome) {
            Some((_, count, slowest)) => (*count, *slowest) = (*count + 1, time.max(*slowest)),
            None => outcomes.push((outcome, 1, time)),
        }
    }
    outcomes.sort_by_key(|(_, count, _)| *count);
    outcomes
}
