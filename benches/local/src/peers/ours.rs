//! afresh, in the process's own memory.

use std::sync::Arc;

use afresh::cached;
use afresh_measure::Book;

pub(crate) const ASYNC: &str = "afresh #[cached], tags, singleflight";
pub(crate) const SYNC: &str = "afresh #[cached], tags, singleflight, sync";

#[cached(ttl = 3600, key = "book:{id}", tags = ["books", "book:{id}"], singleflight)]
pub(crate) async fn book(id: i64) -> Arc<Book> {
    Arc::new(Book::new(id))
}

#[cached(ttl = 3600, key = "book-sync:{id}", tags = ["books", "book:{id}"], singleflight)]
pub(crate) fn book_sync(id: i64) -> Arc<Book> {
    Arc::new(Book::new(id))
}
