//! afresh, without its local tier: every hit is read from the server.

use std::hint::black_box;
use std::sync::Arc;

use afresh::{Cache, cached};
use afresh_measure::Book;

use super::Shelf;

#[cached(ttl = 3600, key = "{id}", tags = ["books", "book:{id}", "shop"], singleflight, cache = cache)]
async fn book(cache: &Cache, id: i64) -> Arc<Book> {
    Arc::new(Book::new(id))
}

pub(crate) struct Ours(pub(crate) Cache);

impl Ours {
    pub(crate) async fn new(url: &str) -> Self {
        let builder = Cache::builder().url(url).local(false);
        Self(builder.build().await.expect("a cache"))
    }
}

impl Shelf for Ours {
    const SUBJECT: &'static str = "afresh #[cached], 3 tags, singleflight";

    async fn book(&self, id: i64) {
        black_box(book(&self.0, id).await);
    }
}
