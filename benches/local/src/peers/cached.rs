//! `cached`: its macros, with a bound and a ttl, and the value behind an `Arc`. It has no tags.

use std::sync::Arc;

use afresh_measure::Book;
use cached::macros::{cached, concurrent_cached};

#[cached(max_size = 10_000, ttl_secs = 3600)]
pub(crate) async fn book(id: i64) -> Arc<Book> {
    Arc::new(Book::new(id))
}

#[cached(max_size = 10_000, ttl_secs = 3600, sync_writes = "by_key")]
pub(crate) async fn book_by_key(id: i64) -> Arc<Book> {
    Arc::new(Book::new(id))
}

#[concurrent_cached(max_size = 10_000, ttl_secs = 3600)]
pub(crate) async fn book_concurrent(id: i64) -> Arc<Book> {
    Arc::new(Book::new(id))
}

#[cached(max_size = 10_000, ttl_secs = 3600)]
pub(crate) fn book_sync(id: i64) -> Arc<Book> {
    Arc::new(Book::new(id))
}

#[concurrent_cached(max_size = 10_000, ttl_secs = 3600)]
pub(crate) fn book_sync_concurrent(id: i64) -> Arc<Book> {
    Arc::new(Book::new(id))
}
