//! The whole path in one process: annotated functions hit, miss, coalesce and get invalidated,
//! with no server and no set-up.

use std::sync::atomic::{AtomicUsize, Ordering};

use afresh::{Cache, Outcome, Tier, cached, invalidates, outcome, testing};

static RUNS: AtomicUsize = AtomicUsize::new(0);

#[cached(ttl = 1800, key = "book:{id}", tags = ["books", "book:{id}"], singleflight)]
async fn book(id: i64) -> Result<String, String> {
    RUNS.fetch_add(1, Ordering::SeqCst);
    tokio::task::yield_now().await;
    if id < 0 {
        Err("no such book".to_owned())
    } else {
        Ok(format!("book {id}"))
    }
}

#[invalidates(tags = ["book:{id}"])]
async fn rename(id: i64) -> Result<(), String> {
    if id < 0 {
        Err("no such book".to_owned())
    } else {
        Ok(())
    }
}

#[tokio::test]
async fn a_call_is_computed_then_a_hit_then_invalidated() {
    testing::with_cache(Cache::in_memory(), async {
        assert_eq!(
            outcome(book(1)).await,
            (Ok("book 1".into()), Outcome::Computed)
        );
        assert_eq!(
            outcome(book(1)).await,
            (Ok("book 1".into()), Outcome::Hit(Tier::Local))
        );
        assert_eq!(outcome(book(2)).await.1, Outcome::Computed);
        rename(1).await.expect("it is there");
        assert_eq!(outcome(book(1)).await.1, Outcome::Computed);
        assert_eq!(outcome(book(2)).await.1, Outcome::Hit(Tier::Local));
        rename(-1).await.expect_err("it is not there");
        assert_eq!(outcome(book(1)).await.1, Outcome::Hit(Tier::Local));
    })
    .await;
}
