//! `amalgam`: `get_or_set` in memory, with a tag.

use std::sync::Arc;
use std::time::Duration;

use afresh_measure::Book;
use amalgam::{Cache, EntryOptions, FactoryError, source};

pub(crate) struct Setup {
    cache: Cache<Arc<Book>>,
}

impl Setup {
    pub(crate) fn new() -> Self {
        let cache = Cache::builder()
            .default_options(EntryOptions::new(Duration::from_hours(1)))
            .try_build()
            .expect("a cache");
        Self { cache }
    }

    pub(crate) async fn book(&self, id: i64) -> Arc<Book> {
        self.cache
            .get_or_set(
                format!("book:{id}"),
                source::factory(move |ctx| async move {
                    Ok::<_, FactoryError>(ctx.value(Arc::new(Book::new(id))))
                }),
            )
            .tags(["books"])
            .await
            .expect("a book")
    }
}
