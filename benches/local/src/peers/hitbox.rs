//! `hitbox-fn` over `hitbox-moka`, with its own macro. It has no tags.

use std::time::Duration;

use afresh_measure::Book;
use hitbox::concurrency::BroadcastConcurrencyManager;
use hitbox::policy::{ConcurrencyLimit, PolicyConfig};
use hitbox_fn::prelude::*;
use hitbox_moka::MokaBackend;

#[derive(KeyExtract)]
pub(crate) struct BookId(i64);

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

pub(crate) type Setup = Cache<MokaBackend, BroadcastConcurrencyManager<Result<Shelved, ()>>>;

pub(crate) fn cache() -> Setup {
    let policy = PolicyConfig::builder()
        .ttl(Duration::from_hours(1))
        .concurrency(ConcurrencyLimit::new(1).expect("a limit"))
        .build();
    Cache::builder()
        .backend(MokaBackend::builder().max_entries(10_000).build())
        .policy(policy)
        .concurrency_manager(BroadcastConcurrencyManager::new())
        .build()
}

pub(crate) async fn book(cache: &Setup, id: i64) -> Result<Shelved, ()> {
    shelved(BookId(id)).cache(cache).await
}
