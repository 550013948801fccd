//! What the environment says about the default cache, each in a process of its own; and what a
//! URL's password never gets into.
#![cfg(feature = "redis")]

use std::env;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use afresh::{Cache, ErrorKind, Event, cached, outcome};
use afresh_test_support::{Server, Steer, Worker, eventually};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

#[cached(ttl = 1800, key = "book:{id}", tags = ["books"])]
async fn book(id: u64) -> u64 {
    id
}

/// Keeps the lines of errors that afresh reports.
#[derive(Clone, Default)]
struct Errors(Arc<Mutex<Vec<String>>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{field}={value:?} ").expect("a line");
    }
}

impl Subscriber for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR && metadata.target() == "afresh"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = String::new();
        event.record(&mut Line(&mut line));
        self.0.lock().expect("no panic in here").push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A program that installs no cache.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn program() {
    let Some(steer) = Steer::take() else { return };
    let errors = Errors::default();
    tracing::subscriber::set_global_default(errors.clone()).expect("the first subscriber");
    while let Some(order) = steer.hear_async().await {
        match order.as_str() {
            "call" => {
                let (value, came) = outcome(book(7)).await;
                steer.say(format!("{value} {came:?}"));
            }
            "invalidate" => match Cache::global().invalidate(["books"]).await {
                Ok(()) => steer.say("invalidated"),
                Err(error) => steer.say(format!("{:?}: {error} {error:?}", error.kind())),
            },
            "errors" => {
                let errors = errors.0.lock().expect("no panic in there");
                steer.say(format!("{} {}", errors.len(), errors.join(" ")));
            }
            _ => steer.say(format!(
                "{:?} {:?}",
                Cache::global(),
                Cache::global().stats()
            )),
        }
    }
}

fn start(variables: &[(&str, &str)]) -> Worker {
    Worker::spawn_with("program", variables)
}

#[test]
fn a_url_and_a_prefix_share_a_cache() {
    let server = Server::start();
    let url = server.url();
    let shop = [("AFRESH_URL", url.as_str()), ("AFRESH_PREFIX", "shop")];
    let (mut one, mut two) = (start(&shop), start(&shop));
    assert_eq!(one.ask("call"), "7 Computed");
    assert_eq!(two.ask("call"), "7 Hit(Shared)");
    let names = server.cli(&["KEYS", "*"]);
    let of_shop = |name: &str| name.starts_with("shop:") || name.starts_with("{shop}:");
    assert!(names.lines().all(of_shop), "{names}");
    let mut other = start(&[("AFRESH_URL", &url), ("AFRESH_PREFIX", "other")]);
    assert_eq!(other.ask("call"), "7 Computed");
    assert_eq!(one.ask("invalidate"), "invalidated");
    eventually("the note", || two.ask("call") == "7 Computed");
    assert_eq!(other.ask("call"), "7 Hit(Local)");
}

#[test]
fn the_default_prefix_is_the_executables_name() {
    let server = Server::start();
    let mut one = start(&[("AFRESH_URL", &server.url())]);
    assert_eq!(one.ask("call"), "7 Computed");
    let executable = env::current_exe().expect("a path");
    let name = executable.file_stem().expect("a name").to_string_lossy();
    let entries = server.cli(&["KEYS", "*:e:*"]);
    assert!(
        entries.starts_with(&format!("{name}:afresh:1:e:{{")),
        "{entries}"
    );
}

#[test]
fn without_a_url_the_cache_is_in_memory() {
    let mut one = start(&[]);
    assert_eq!(one.ask("call"), "7 Computed");
    assert_eq!(one.ask("call"), "7 Hit(Local)");
    assert_eq!(one.ask("invalidate"), "invalidated");
    assert_eq!(one.ask("call"), "7 Computed");
    assert_eq!(one.ask("errors"), "0 ");
}

#[test]
fn a_disabled_process_computes_but_still_invalidates() {
    let server = Server::start();
    let url = server.url();
    let shop = [("AFRESH_URL", url.as_str()), ("AFRESH_PREFIX", "shop")];
    let mut one = start(&shop);
    assert_eq!(one.ask("call"), "7 Computed");
    let mut disabled = start(&[shop[0], shop[1], ("AFRESH_DISABLE", "1")]);
    assert_eq!(disabled.ask("call"), "7 Bypassed");
    assert_eq!(disabled.ask("call"), "7 Bypassed");
    assert_eq!(one.ask("call"), "7 Hit(Local)");
    assert_eq!(disabled.ask("invalidate"), "invalidated");
    eventually("the note", || one.ask("call") == "7 Computed");
    let mut enabled = start(&[shop[0], shop[1], ("AFRESH_DISABLE", "0")]);
    assert_eq!(enabled.ask("call"), "7 Hit(Shared)");
}

#[test]
fn a_url_that_cannot_be_used_leaves_calls_computing() {
    for url in ["", "localhost:6379", "redis://me:s3cret@host:notaport"] {
        let mut one = start(&[("AFRESH_URL", url)]);
        for _ in 0..2 {
            assert_eq!(one.ask("call"), "7 Bypassed");
            let refused = one.ask("invalidate");
            assert!(refused.starts_with("Config: "), "{refused}");
            assert!(refused.contains("AFRESH_URL"), "{refused}");
            assert!(!refused.contains("s3cret"), "{refused}");
        }
        let told = one.ask("errors");
        assert!(told.starts_with("1 "), "told once: {told}");
        let shown = one.ask("show");
        assert!(
            !format!("{told} {shown}").contains("s3cret"),
            "{told} {shown}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_in_nothing_that_is_shown() {
    let server = Server::start_with(&["--requirepass", "another"]);
    let told = Arc::new(Mutex::new(String::new()));
    let observer = {
        let told = Arc::clone(&told);
        move |event: &Event<'_>| {
            let mut told = told.lock().expect("no panic in here");
            write!(told, "{event:?} ").expect("a line");
            if let Event::Fault { error, .. } = event {
                write!(told, "{error} ").expect("a line");
            }
        }
    };
    let url = server.url().replace("redis://", "redis://:s3cret@");
    let builder = Cache::builder().url(&url).prefix("shop").observer(observer);
    let mut shown = format!("{builder:?}");
    let cache = builder.build().await.expect("a cache");
    let error = cache
        .invalidate(["books"])
        .await
        .expect_err("a wrong password");
    write!(shown, "{cache:?} {error} {error:?} {:?}", cache.stats()).expect("a line");
    shown += &told.lock().expect("no panic in there");
    assert!(shown.contains("Config"), "the refusal is told: {shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
    for url in [
        "redis://:s3cret@host:99999",
        "rediss://:s3cret@host",
        "redis://:s3cret@/x/y",
    ] {
        match Cache::connect(url).await {
            Ok(cache) => assert!(!format!("{cache:?}").contains("s3cret")),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Config);
                assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
            }
        }
    }
}
