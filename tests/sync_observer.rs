//! Sync functions called by an observer: some events are told on the thread of the connection,
//! which must not wait for itself.
#![cfg(feature = "redis")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;

use afresh::{Cache, Error, ErrorKind, Event, cached, entry_sync, invalidates};
use afresh_test_support::{PATIENCE, Server, eventually};

static CACHE: OnceLock<Cache> = OnceLock::new();

fn cache() -> &'static Cache {
    CACHE.get().expect("made before anything is told")
}

#[cached(ttl = 60, tags = ["sizes"], singleflight, cache = cache())]
fn size(id: u32) -> u32 {
    id
}

#[invalidates(tags = ["sizes"], result_tags = |to| ["size:{to}"], cache = cache())]
fn resize(to: u32) -> u32 {
    to
}

#[derive(Debug)]
struct Told(ErrorKind);

impl From<Error> for Told {
    fn from(error: Error) -> Self {
        Self(error.kind())
    }
}

static GUARDED: AtomicU32 = AtomicU32::new(0);

#[invalidates(tags = ["guarded"], crash_safe(required), cache = cache())]
fn guarded() -> Result<(), Told> {
    GUARDED.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

#[invalidates(tags = ["guarded"], crash_safe, cache = cache())]
fn unguarded() {
    GUARDED.fetch_add(1, Ordering::SeqCst);
}

/// What came of calls that were made while something was being told.
struct Heard {
    size: u32,
    looked: Result<Option<u32>, ErrorKind>,
    owed: u64,
    guarded: Result<(), Told>,
}

#[test]
fn an_observer_may_call_them() {
    let server = Server::start();
    let (told, heard) = channel();
    let observer = move |event: &Event<'_>| {
        if matches!(event, Event::Connected) && CACHE.get().is_some() {
            resize(7);
            let owed = cache().stats().owed;
            let looked = entry_sync(|| size(7)).peek().map_err(|error| error.kind());
            let guarded = guarded();
            unguarded();
            // The test may be over.
            let _ = told.send(Heard {
                size: size(7),
                looked,
                owed,
                guarded,
            });
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let built = Cache::builder()
        .url(server.url())
        .observer(observer)
        .build();
    let built = runtime.block_on(built).expect("a cache");
    CACHE.set(built).expect("once");
    assert_eq!(size(7), 7);
    // It connects again, and says so on its own thread.
    server.restart();
    let heard = heard.recv_timeout(PATIENCE).expect("it did not hang");
    assert_eq!((heard.size, heard.looked), (7, Err(ErrorKind::Config)));
    assert_eq!(heard.owed, 2, "the tag of its value too");
    // A mark cannot be placed from here: one that must be there keeps the body from running.
    let guarded = heard.guarded.expect_err("there is no mark");
    assert_eq!(guarded.0, ErrorKind::Store);
    assert_eq!(GUARDED.load(Ordering::SeqCst), 1);
    assert_eq!(cache().stats().unguarded, 1);
    // The thread goes on: what the observer invalidated there is owed, and made.
    eventually("the debt is paid", || cache().stats().owed == 0);
    assert!(cache().stats().bypassed > 0, "{}", cache().stats());
}
