//! The whole path through a real Redis: what one cache stores another reads, and what one
//! invalidates the other drops.
#![cfg(feature = "redis")]

use afresh::{Cache, Outcome, Tier, cached, invalidates, outcome};
use afresh_test_support::Server;

#[cached(ttl = 1800, key = "book:{id}", tags = ["books", "book:{id}"], singleflight, cache = cache)]
async fn book(cache: &Cache, id: i64) -> Result<String, String> {
    Ok(format!("book {id}"))
}

#[invalidates(tags = ["book:{id}"], cache = cache)]
async fn rename(cache: &Cache, id: i64) {}

#[tokio::test]
async fn what_one_process_stores_another_reads_and_drops() {
    let server = Server::start();
    let one = Cache::builder()
        .url(server.url())
        .prefix("shop")
        .build()
        .await
        .unwrap();
    let two = Cache::builder()
        .url(server.url())
        .prefix("shop")
        .build()
        .await
        .unwrap();
    assert_eq!(outcome(book(&one, 1)).await.1, Outcome::Computed);
    assert_eq!(outcome(book(&one, 1)).await.1, Outcome::Hit(Tier::Local));
    assert_eq!(outcome(book(&two, 1)).await.1, Outcome::Hit(Tier::Shared));
    assert_eq!(outcome(book(&two, 1)).await.1, Outcome::Hit(Tier::Local));
    rename(&two, 1).await;
    assert_eq!(outcome(book(&two, 1)).await.1, Outcome::Computed);
}
