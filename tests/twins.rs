//! Functions that could be taken for one another, in processes that know only one of them; and a
//! value put by a function that keeps to its process, in a log that others write to.
#![cfg(feature = "redis")]

use afresh::{Cache, Outcome, Tier, cached, entry, outcome};
use afresh_test_support::{PATIENCE, Server, Steer, Worker};

/// Two functions in sibling blocks: the compiler spells one path for both.
async fn twin(cache: &Cache, first: bool) -> (String, Outcome) {
    if first {
        #[cached(ttl = 60, skip(cache), cache = cache)]
        async fn twin(cache: &Cache, n: u8) -> String {
            format!("first {n}")
        }
        outcome(twin(cache, 1)).await
    } else {
        #[cached(ttl = 60, skip(cache), cache = cache)]
        async fn twin(cache: &Cache, n: u8) -> String {
            format!("second {n}")
        }
        outcome(twin(cache, 1)).await
    }
}

#[test]
fn twin_worker() {
    let Some(steer) = Steer::take() else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let url = std::env::var("SERVER").expect("its parent says where");
        let cache = Cache::builder()
            .url(url)
            .prefix("shop")
            .build()
            .await
            .expect("a URL");
        while let Some(which) = steer.hear_async().await {
            let (value, outcome) = twin(&cache, which == "first").await;
            steer.say(format!("{value}: {outcome}"));
        }
    });
}

#[test]
fn twins_never_read_each_others_entries_whoever_comes_first() {
    let server = Server::start();
    let url = server.url();
    let spawn = || Worker::spawn_with("twin_worker", &[("SERVER", url.as_str())]);
    let (mut one, mut two) = (spawn(), spawn());
    assert_eq!(one.ask("first"), "first 1: computed");
    assert_eq!(two.ask("second"), "second 1: computed");
    assert_eq!(
        two.ask("first"),
        "first 1: hit (shared)",
        "and each is shared"
    );
    assert_eq!(one.ask("second"), "second 1: hit (shared)");
}

#[cached(ttl = 60, key = "{id}", tags = ["book:{id}"], cache = cache)]
async fn book(cache: &Cache, id: i64) -> String {
    format!("book {id}")
}

#[cached(ttl = 60, key = "{id}", local, cache = cache)]
async fn note(cache: &Cache, id: i64) -> String {
    format!("note {id}")
}

#[tokio::test]
async fn a_value_put_by_a_local_function_hides_no_invalidation() {
    let server = Server::start();
    let make = || Cache::builder().url(server.url()).prefix("shop").build();
    let (one, two) = (make().await.expect("a URL"), make().await.expect("a URL"));
    book(&one, 1).await;
    assert_eq!(outcome(book(&one, 1)).await.1, Outcome::Hit(Tier::Local));
    entry(note(&one, 1)).refresh().await;
    two.invalidate(["book:1"]).await.expect("a live server");
    let told = async {
        while outcome(book(&one, 1)).await.1 != Outcome::Computed {
            tokio::task::yield_now().await;
        }
    };
    let told = tokio::time::timeout(PATIENCE, told).await;
    told.expect("an invalidation by another process is seen");
    assert_eq!(outcome(note(&one, 1)).await.1, Outcome::Hit(Tier::Local));
}
