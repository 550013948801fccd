//! `cachekit`: its macro with the preset for production, without what it keeps in the process. It
//! has no tags.

use std::hint::black_box;

use afresh_measure::Book;
use cachekit::prelude::*;

use super::Shelf;

#[cachekit(client = cache, ttl = 3600, interop = "book", namespace = "books")]
async fn book(cache: &CacheKit, id: i64) -> Result<Book, CachekitError> {
    Ok(Book::new(id))
}

pub(crate) struct Cachekit(CacheKit);

impl Cachekit {
    pub(crate) async fn new(url: &str) -> Self {
        let builder = CacheKit::production(url).await.expect("a server");
        Self(builder.no_l1().build().expect("a client"))
    }
}

impl Shelf for Cachekit {
    const SUBJECT: &'static str = "cachekit #[cachekit], no L1";

    async fn book(&self, id: i64) {
        black_box(book(&self.0, id).await.expect("a book"));
    }
}
