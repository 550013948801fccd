//! `amalgam` on a server, past what it keeps in the process; with its lock across processes and its
//! backplane.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use afresh_measure::Book;
use amalgam::provider::{
    Backplane, DistributedCache, DistributedLocker, DistributedSerializer, JsonSerializer,
    RedisBackplane, RedisDistributedCache, RedisDistributedLocker,
};
use amalgam::{Cache, EntryOptions, FactoryError, source};

use super::Shelf;

pub(crate) struct Amalgam(pub(crate) Cache<Book>);

impl Amalgam {
    pub(crate) async fn new(url: &str) -> Self {
        let store = RedisDistributedCache::connect(url.to_owned())
            .await
            .expect("a server");
        let backplane = RedisBackplane::connect(url.to_owned())
            .await
            .expect("a server");
        let locker = RedisDistributedLocker::connect(url.to_owned())
            .await
            .expect("a server");
        let options = EntryOptions::new(Duration::from_hours(1)).with_skip_memory(true, true);
        let cache = Cache::builder()
            .default_options(options)
            .distributed(Arc::new(store) as Arc<dyn DistributedCache>)
            .serializer(Arc::new(JsonSerializer) as Arc<dyn DistributedSerializer<Book>>)
            .backplane(Arc::new(backplane) as Arc<dyn Backplane>)
            .distributed_locker(Arc::new(locker) as Arc<dyn DistributedLocker>)
            .try_build()
            .expect("a cache");
        Self(cache)
    }
}

impl Shelf for Amalgam {
    const SUBJECT: &'static str = "amalgam get_or_set, 3 tags, Redis";

    async fn book(&self, id: i64) {
        let book = self
            .0
            .get_or_set(
                format!("book:{id}"),
                source::factory(move |ctx| async move {
                    Ok::<_, FactoryError>(ctx.value(Book::new(id)))
                }),
            )
            .tags(["books".to_owned(), format!("book:{id}"), "shop".to_owned()])
            .await
            .expect("a book");
        black_box(book);
    }
}
