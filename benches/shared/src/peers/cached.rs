//! `cached` with its Redis store and reconnecting client. It has neither tags nor a flight there.

use std::hint::black_box;
use std::sync::OnceLock;

use afresh_measure::Book;
use cached::AsyncRedisCache;
use cached::macros::concurrent_cached;
use cached::time::Duration;

use super::Shelf;

#[concurrent_cached(
    map_error = "|error| format!(\"{error:?}\")",
    ty = "AsyncRedisCache<i64, Book>",
    create = r#"{
        AsyncRedisCache::builder("bench")
            .connection_string(SERVER.get().expect("set before"))
            .ttl(Duration::from_secs(3600))
            .build()
            .await
            .expect("a store")
    }"#
)]
async fn book(id: i64) -> Result<Book, String> {
    Ok(Book::new(id))
}

/// Where its store, which is a static, finds the server.
static SERVER: OnceLock<String> = OnceLock::new();

pub(crate) struct Cached;

impl Cached {
    pub(crate) fn new(url: &str) -> Self {
        SERVER.get_or_init(|| url.to_owned());
        Self
    }
}

impl Shelf for Cached {
    const SUBJECT: &'static str = "cached #[concurrent_cached], Redis";

    async fn book(&self, id: i64) {
        black_box(book(id).await.expect("a book"));
    }
}
