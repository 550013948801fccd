//! `moka`, with a bound and a ttl: it computes a missing value once. It has no tags.

use std::sync::Arc;
use std::time::Duration;

use afresh_measure::Book;

const TTL: Duration = Duration::from_hours(1);

pub(crate) fn future() -> moka::future::Cache<i64, Arc<Book>> {
    moka::future::Cache::builder()
        .max_capacity(10_000)
        .time_to_live(TTL)
        .build()
}

pub(crate) fn sync() -> moka::sync::Cache<i64, Arc<Book>> {
    moka::sync::Cache::builder()
        .max_capacity(10_000)
        .time_to_live(TTL)
        .build()
}

pub(crate) async fn get_with(cache: &moka::future::Cache<i64, Arc<Book>>, id: i64) -> Arc<Book> {
    cache
        .get_with(id, async move { Arc::new(Book::new(id)) })
        .await
}
