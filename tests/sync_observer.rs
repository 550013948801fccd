//! Sync functions called by an observer: some events are told on the thread of the connection,
//! which must not wait for itself.
#![cfg(feature = "redis")]

use std::sync::OnceLock;
use std::sync::mpsc::channel;

use afresh::{Cache, ErrorKind, Event, cached, entry_sync, invalidates};
use afresh_test_support::{PATIENCE, Server, eventually};

static CACHE: OnceLock<Cache> = OnceLock::new();

fn cache() -> &'static Cache {
    CACHE.get().expect("made before anything is told")
}

#[cached(ttl = 60, tags = ["sizes"], singleflight, cache = cache())]
fn size(id: u32) -> u32 {
    id
}

#[invalidates(tags = ["sizes"], cache = cache())]
fn resize() {}

#[test]
fn an_observer_may_call_them() {
    let server = Server::start();
    let (told, heard) = channel();
    let observer = move |event: &Event<'_>| {
        if matches!(event, Event::Connected) && CACHE.get().is_some() {
            resize();
            let looked = entry_sync(|| size(7)).peek().map_err(|error| error.kind());
            // The test may be over.
            let _ = told.send((size(7), looked));
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
    let (size, looked) = heard.recv_timeout(PATIENCE).expect("it did not hang");
    assert_eq!((size, looked), (7, Err(ErrorKind::Config)));
    // The thread goes on: what the observer invalidated there is owed, and made.
    eventually("the debt is paid", || cache().stats().owed == 0);
    assert!(cache().stats().bypassed > 0, "{}", cache().stats());
}
