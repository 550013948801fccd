//! What is done to one entry through its handle in one process, as another process sees it: the
//! other's own copy goes, and a value that may be older than an invalidation is refused.
#![cfg(feature = "redis")]

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};

use afresh::{Cache, cached, entry, outcome};
use afresh_test_support::{Server, Steer, Worker, eventually};

#[cached(ttl = 1800, key = "1", tags = ["books"], cache = cache)]
async fn book(cache: &Cache, source: &AtomicU64) -> u64 {
    source.load(Ordering::SeqCst)
}

/// A process with a cache, which does as it is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn member() {
    let Some(steer) = Steer::take() else { return };
    let url = env::var("URL").expect("a server");
    let cache = Cache::builder().url(url).prefix("shop").build().await;
    let cache = cache.expect("a cache");
    let source = AtomicU64::new(0);
    while let Some(order) = steer.hear_async().await {
        let (word, number) = order.split_once(' ').unwrap_or((&order, "0"));
        let number: u64 = number.parse().expect("a number");
        let one = || entry(book(&cache, &source));
        let done = match word {
            "read" => {
                let (value, came) = outcome(book(&cache, &source)).await;
                steer.say(format!("{value} {came:?}"));
                continue;
            }
            "source" => {
                source.store(number, Ordering::SeqCst);
                Ok(())
            }
            "put" => one().put(number).await,
            "refresh" => {
                steer.say(one().refresh().await.to_string());
                continue;
            }
            "invalidate" => one().invalidate().await,
            // A handle that gets old before it is used.
            "handle" => {
                let handle = one();
                steer.say("held");
                steer.hear_async().await.expect("the word to use it");
                handle.put(number).await
            }
            other => panic!("no order {other}"),
        };
        steer.say(done.map_or_else(
            |error| format!("{:?}", error.kind()),
            |()| "done".to_owned(),
        ));
    }
}

#[test]
fn what_is_done_through_a_handle_reaches_the_other_processes_copy() {
    let server = Server::start();
    let url = server.url();
    let member = || Worker::spawn_with("member", &[("URL", &url)]);
    let (mut one, mut two) = (member(), member());
    let copied = |two: &mut Worker, value: u64| {
        let copy = format!("{value} Hit(Local)");
        eventually("the other's copy", || two.ask("read") == copy);
    };
    assert!(one.ask("read").starts_with("0 "));
    copied(&mut two, 0);

    assert_eq!(one.ask("put 5"), "done");
    copied(&mut two, 5);

    assert_eq!(one.ask("source 6"), "done");
    assert_eq!(one.ask("refresh"), "6");
    copied(&mut two, 6);

    assert_eq!(two.ask("source 7"), "done");
    assert_eq!(one.ask("invalidate"), "done");
    copied(&mut two, 7);

    assert_eq!(one.ask("handle 8"), "held");
    assert_eq!(two.ask("source 9"), "done");
    assert_eq!(two.ask("invalidate"), "done");
    assert_eq!(one.ask("use it"), "Refused");
    copied(&mut two, 9);
    assert!(one.ask("read").starts_with("9 "), "nor is it here");
}
