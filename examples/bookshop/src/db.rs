//! The database: `SQLite` inside this process, seeded from a catalogue. Its queries are written
//! where they are used; nothing here knows of the cache.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use crate::data::Record;
use crate::shop::ShopError;

/// What each round trip waits before its query, to imitate a database across a network: a query
/// on this little `SQLite` takes microseconds, and a cache would have little to show.
pub(crate) const NETWORK: Duration = Duration::from_millis(30);

const SCHEMA: &str = "
    CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE books (
        id     INTEGER PRIMARY KEY,
        title  TEXT NOT NULL,
        folded TEXT NOT NULL, -- the title in lower case, for searching
        year   INTEGER,
        author INTEGER NOT NULL REFERENCES authors (id)
    );
    CREATE TABLE shelves (
        book  INTEGER NOT NULL REFERENCES books (id) ON DELETE CASCADE,
        genre TEXT NOT NULL,
        PRIMARY KEY (book, genre)
    ) WITHOUT ROWID;
    CREATE INDEX shelves_by_genre ON shelves (genre);
";

/// A handle on the database; clones are the same database.
#[derive(Clone, Debug)]
pub(crate) struct Db(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connection: Mutex<Connection>,
    trips: AtomicU64,
}

impl Db {
    /// A fresh database that holds these books. The first gets the id 1, and so on: equal
    /// catalogues give equal ids.
    pub(crate) fn seeded(records: &[Record]) -> rusqlite::Result<Self> {
        let mut connection = Connection::open_in_memory()?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.execute_batch(SCHEMA)?;
        seed(&mut connection, records)?;
        Ok(Self(Arc::new(Inner {
            connection: Mutex::new(connection),
            trips: AtomicU64::new(0),
        })))
    }

    /// One round trip: the wait, then `work` on a thread that may block.
    pub(crate) async fn trip<T, F>(&self, work: F) -> Result<T, ShopError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, ShopError> + Send + 'static,
    {
        self.0.trips.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(NETWORK).await;
        let inner = Arc::clone(&self.0);
        let query = tokio::task::spawn_blocking(move || {
            // A panic in the midst of a transaction has rolled it back: the connection is sound.
            work(
                &mut inner
                    .connection
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner),
            )
        });
        query
            .await
            .unwrap_or_else(|error| Err(ShopError::Database(error.to_string())))
    }

    /// How many round trips were made so far.
    pub(crate) fn trips(&self) -> u64 {
        self.0.trips.load(Ordering::Relaxed)
    }
}

fn seed(connection: &mut Connection, records: &[Record]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut author = transaction.prepare("INSERT OR IGNORE INTO authors (name) VALUES (?1)")?;
        let mut book = transaction.prepare(
            "INSERT INTO books (title, folded, year, author)
             VALUES (?1, ?2, ?3, (SELECT id FROM authors WHERE name = ?4))",
        )?;
        let mut shelf = transaction.prepare("INSERT INTO shelves VALUES (?1, ?2)")?;
        for record in records {
            let Record {
                title,
                author: name,
                year,
                genres,
            } = record;
            author.execute([name])?;
            let id = book.insert((title, title.to_lowercase(), year, name))?;
            for genre in genres {
                shelf.execute((id, genre))?;
            }
        }
    }
    transaction.commit()
}
