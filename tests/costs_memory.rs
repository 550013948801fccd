//! What a hit in this process costs: allocations, and the size of the future. Times are measured by
//! the benchmarks, not here.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use afresh::{Cache, cached};
use allocation_counter::measure;

/// Drives a future that never waits, with no runtime.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// How many allocations a hit makes.
fn hit<T>(cache: &Cache, call: impl Fn() -> T) -> u64 {
    let computed = || cache.stats().computed;
    call();
    // What a thread allocates once (its place among the counters) is not the hit's.
    call();
    let before = computed();
    let allocated = measure(|| drop(call()));
    assert_eq!(computed(), before, "it was a hit");
    allocated.count_total
}

#[cached(ttl = 60, key = "page:{id}", cache = cache)]
async fn template(cache: &Cache, id: u64) -> u64 {
    id
}

#[cached(ttl = 60, skip(cache), cache = cache)]
async fn default_key(cache: &Cache, id: u64, name: &str) -> u64 {
    id + name.len() as u64
}

#[cached(ttl = 60, key = "{id}", tags = ["all", "page:{id}"], singleflight, cache = cache)]
async fn everything(cache: &Cache, id: u64) -> Result<Arc<Vec<u8>>, String> {
    Ok(Arc::new(vec![id as u8; 100]))
}

#[cached(ttl = 60, key = "{id}", tags = ["all"], singleflight, cache = cache)]
async fn text(cache: &Cache, id: u64) -> String {
    format!("page {id}")
}

#[cached(ttl = 60, key = "{name}", cache = cache)]
async fn long_key(cache: &Cache, name: &str) -> u64 {
    name.len() as u64
}

#[test]
fn a_hit_allocates_what_the_clone_does_and_nothing_else() {
    let cache = &Cache::in_memory();
    assert_eq!(hit(cache, || now(template(cache, 7))), 0, "template");
    let call = || now(default_key(cache, 7, "a name"));
    assert_eq!(hit(cache, call), 0, "default key");
    let call = || now(everything(cache, 7));
    assert_eq!(hit(cache, call), 0, "Arc, tags, singleflight");
    assert_eq!(hit(cache, || now(text(cache, 7))), 1, "the String");
    // The longest key that needs no room of its own.
    let call = || {
        now(long_key(
            cache,
            "a-name-of-forty-eight-bytes-which-is-quite-long.",
        ))
    };
    assert_eq!(hit(cache, call), 0, "48 bytes of key");
}

#[test]
fn a_hit_after_an_invalidation_of_something_else_allocates_nothing() {
    let cache = &Cache::in_memory();
    now(everything(cache, 7)).expect("well");
    now(cache.invalidate(["other"])).expect("in memory");
    let allocated = measure(|| drop(now(everything(cache, 7))));
    assert_eq!(allocated.count_total, 0, "judged again");
    assert_eq!(cache.stats().computed, 1);
}

#[cached(ttl = 60, key = "{id}", singleflight, cache = cache)]
async fn large_body(cache: &Cache, id: u64) -> u64 {
    let room = [id; 10 << 7];
    now_and_then().await;
    room.iter().sum()
}

async fn now_and_then() {
    tokio::task::yield_now().await;
}

#[test]
fn the_future_of_a_call_is_small_however_large_its_body() {
    let cache = &Cache::in_memory();
    let small = size_of_val(&template(cache, 1));
    let large = size_of_val(&large_body(cache, 1));
    println!("the future of a call: {small} bytes; with a body of 10 KB: {large} bytes");
    assert!(small <= 512, "{small}");
    assert!(large <= 512, "{large}");
}
