//! The rights that the documentation asks for, word for word: enough for everything, on the
//! prefix's own names and no others. (All other tests run with these rights on every prefix.)
#![cfg(feature = "redis")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use afresh::{
    Cache, Consistency, ErrorKind, Event, Outcome, Tier, cached, entry, invalidates, outcome,
};
use afresh_test_support::{Server, eventually};

#[cached(ttl = 600, key = "{id}", tags = ["books"], singleflight, cache = cache)]
async fn book(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

#[invalidates(tags = ["books"], crash_safe, cache = cache)]
async fn change(cache: &Cache, source: &AtomicU64, to: u64) {
    source.store(to, Ordering::SeqCst);
}

/// The words of the documented command.
fn documented() -> Vec<String> {
    let text = include_str!("../src/docs/redis.md");
    let (_, rest) = text
        .split_once("```text\nACL SETUSER")
        .expect("the command");
    let (command, _) = rest.split_once("```").expect("its end");
    let words = command.split_whitespace().map(str::to_owned);
    ["ACL", "SETUSER"]
        .map(str::to_owned)
        .into_iter()
        .chain(words)
        .collect()
}

async fn connect(server: &Server, prefix: &str) -> Cache {
    let url = format!("redis://shop:password@127.0.0.1:{}/", server.port());
    let builder = Cache::builder().url(url).prefix(prefix);
    builder
        .consistency(Consistency::Strict)
        .connections(2)
        .max_ttl(std::time::Duration::from_millis(1_500))
        .build()
        .await
        .expect("a cache")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_rights_are_enough_and_no_more() {
    let server = Server::start();
    let words = documented();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(server.cli(&words), "OK");
    let source = AtomicU64::new(1);
    let (one, two) = (
        connect(&server, "shop").await,
        connect(&server, "shop").await,
    );
    assert_eq!(
        outcome(book(&one, &source, 1)).await,
        (1, Outcome::Computed)
    );
    assert_eq!(
        outcome(book(&two, &source, 1)).await,
        (1, Outcome::Hit(Tier::Shared))
    );
    assert_eq!(
        outcome(book(&two, &source, 1)).await,
        (1, Outcome::Hit(Tier::Local))
    );
    change(&one, &source, 2).await;
    assert_eq!(book(&two, &source, 1).await, 2);
    entry(book(&one, &source, 1)).put(3).await.expect("stored");
    assert_eq!(book(&two, &source, 1).await, 3);
    one.invalidate_all().await.expect("acknowledged");
    let key = server.cli(&["KEYS", "shop:afresh:1:e:*"]);
    server.cli(&["SET", &key, "rubbish", "PX", "60000"]);
    assert_eq!(book(&two, &source, 1).await, 2);
    eventually("a rotation", || {
        server.cli(&["HGET", "{shop}:afresh:1:log", "current"]) == "1"
    });
    one.shutdown().await.expect("nothing is owed");
    assert_eq!((one.stats().store_errors, two.stats().store_errors), (0, 0));
    assert_eq!(server.cli(&["ACL", "LOG"]), "", "nothing was refused");

    let other = connect(&server, "other").await;
    assert_eq!(
        outcome(book(&other, &source, 1)).await,
        (2, Outcome::Computed)
    );
    other
        .invalidate(["books"])
        .await
        .expect_err("another's names");
    assert_eq!(server.cli(&["KEYS", "*other*"]), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hides_its_identity_is_refused_once_and_used_when_it_shows_it() {
    let server = Server::start();
    let words = documented();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(server.cli(&words), "OK");
    server.cli(&["ACL", "SETUSER", "shop", "-info"]);
    let faults = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&faults);
    let url = format!("redis://shop:password@127.0.0.1:{}/", server.port());
    let builder = Cache::builder().url(url).prefix("shop");
    let builder = builder.observer(move |event: &Event<'_>| {
        if let Event::Fault { doing, error } = event {
            let fault = (*doing, error.kind(), error.to_string());
            seen.lock().expect("no panic").push(fault);
        }
    });
    let cache = builder.build().await.expect("a cache");
    let source = AtomicU64::new(1);
    let attempts = || server.commandstats().get("script|load").copied();
    eventually("three attempts", || attempts() >= Some(3 * 10));
    for _ in 0..2 {
        let computed = outcome(book(&cache, &source, 1)).await;
        assert_eq!(computed, (1, Outcome::Computed));
    }
    let connecting = |fault: &&(&str, ErrorKind, String)| fault.0.contains("cannot be used");
    {
        let faults = faults.lock().expect("no panic");
        let told: Vec<_> = faults.iter().filter(connecting).collect();
        let [(_, kind, said)] = &told[..] else {
            panic!("reported: {faults:?}");
        };
        assert_eq!(*kind, ErrorKind::Config);
        assert!(said.contains("refuses this set-up"), "{said}");
    }
    let owed = cache.invalidate(["books"]).await;
    owed.expect_err("there is no log to be had");
    assert_eq!(server.cli(&["KEYS", "*:log"]), "", "it has begun none");
    server.cli(&["ACL", "SETUSER", "shop", "+info"]);
    eventually("the debt", || cache.stats().owed == 0);
    let shared = connect(&server, "shop").await;
    book(&cache, &source, 1).await;
    let found = outcome(book(&shared, &source, 1)).await;
    assert_eq!(found, (1, Outcome::Hit(Tier::Shared)));
}
