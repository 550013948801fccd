//! `hitbox-fn` over `hitbox-redis`, with its own macro. It has no tags.

use std::hint::black_box;
use std::time::Duration;

use afresh_measure::Book;
use hitbox::concurrency::BroadcastConcurrencyManager;
use hitbox::policy::{ConcurrencyLimit, PolicyConfig};
use hitbox_fn::prelude::*;
use hitbox_redis::{ConnectionMode, RedisBackend};

use super::Shelf;

#[derive(KeyExtract)]
struct BookId(i64);

/// Its own type, since the derive is needed on what is returned.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, CacheableResponse)]
pub(crate) struct Shelved {
    book: Book,
}

#[cached]
async fn shelved(id: BookId) -> Result<Shelved, ()> {
    Ok(Shelved {
        book: Book::new(id.0),
    })
}

pub(crate) struct Hitbox(Cache<RedisBackend, BroadcastConcurrencyManager<Result<Shelved, ()>>>);

impl Hitbox {
    pub(crate) fn new(url: &str) -> Self {
        let policy = PolicyConfig::builder()
            .ttl(Duration::from_hours(1))
            .concurrency(ConcurrencyLimit::new(1).expect("a limit"))
            .build();
        let backend = RedisBackend::builder()
            .connection(ConnectionMode::single(url))
            .build()
            .expect("a URL");
        let cache = Cache::builder()
            .backend(backend)
            .policy(policy)
            .concurrency_manager(BroadcastConcurrencyManager::new())
            .build();
        Self(cache)
    }
}

impl Shelf for Hitbox {
    const SUBJECT: &'static str = "hitbox #[cached], Redis";

    async fn book(&self, id: i64) {
        let _ = black_box(shelved(BookId(id)).cache(&self.0).await);
    }
}
