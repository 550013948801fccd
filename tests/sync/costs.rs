//! What a call of a sync function costs: allocations of a hit, and stack.

use std::hint::black_box;
use std::sync::Arc;
use std::thread;

use afresh::{Cache, cached, testing};
use allocation_counter::measure;

use crate::world::block_on;

#[cached(ttl = 60, key = "{id}", tags = ["all", "{id}"], singleflight, cache = cache)]
fn arc(cache: &Cache, id: u64) -> Result<Arc<Vec<u64>>, String> {
    Ok(Arc::new(vec![id; 100]))
}

#[cached(ttl = 60, skip(cache), store_if = |text| text.len() > name.len(), cache = cache)]
fn text(cache: &Cache, id: u64, name: &str) -> String {
    format!("{name}{id}")
}

/// How many allocations a hit makes.
fn hit<T>(cache: &Cache, call: impl Fn() -> T) -> u64 {
    call();
    // What a thread allocates once (its place among the counters) is not the hit's.
    call();
    let computed = cache.stats().computed;
    let allocated = measure(|| drop(call()));
    assert_eq!(cache.stats().computed, computed, "it was a hit");
    allocated.count_total
}

#[test]
fn a_hit_allocates_what_the_clone_does_and_nothing_else() {
    let cache = &Cache::in_memory();
    assert_eq!(hit(cache, || arc(cache, 1)), 0);
    assert_eq!(hit(cache, || text(cache, 1, "a name")), 1, "the `String`");
}

fn plain(n: u32, top: usize) -> usize {
    let here = black_box(&n);
    match n {
        0 => top - std::ptr::from_ref(here).addr(),
        _ => plain(n - 1, top),
    }
}

#[cached(ttl = 60)]
fn simple(n: u32, top: usize) -> usize {
    let here = black_box(&n);
    match n {
        0 => top - std::ptr::from_ref(here).addr(),
        _ => simple(n - 1, top),
    }
}

#[cached(ttl = 60, singleflight, tags = ["{n}"], result_tags = |depth| ["{depth}:{n}"])]
fn everything(n: u32, top: usize) -> usize {
    let here = black_box(&n);
    match n {
        0 => top - std::ptr::from_ref(here).addr(),
        _ => everything(n - 1, top),
    }
}

/// Runs something with a cache of its own on a thread with the stack that threads have by default.
fn on_a_thread<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::Builder::new().stack_size(2 << 20);
    let call = || block_on(testing::with_cache(Cache::in_memory(), async { call() }));
    let thread = thread.spawn(call).expect("a thread");
    thread.join().expect("no panic")
}

/// The bytes of stack that one level of a recursion takes.
fn per_level(call: fn(u32, usize) -> usize) -> usize {
    const LEVELS: u32 = 100;
    on_a_thread(move || {
        let top = 0_u32;
        let top = std::ptr::from_ref(black_box(&top)).addr();
        call(LEVELS, top)
    }) / LEVELS as usize
}

/// What the call adds to the frames of a body, without optimizations.
const ADDED: usize = 2_560;

#[test]
fn a_level_of_recursion_takes_little_more_stack_than_its_body() {
    let plain = per_level(plain);
    for (name, call) in [
        ("simple", simple as fn(_, _) -> _),
        ("everything", everything),
    ] {
        let level = per_level(call);
        assert!(
            level <= plain + ADDED,
            "{name}: {level} bytes where the body has {plain}"
        );
    }
}

#[cached(ttl = 60)]
fn sum(n: u64) -> u64 {
    match n {
        0 => 0,
        _ => sum(n - 1) + n,
    }
}

#[test]
fn a_thread_has_room_for_a_thousand_levels() {
    assert_eq!(on_a_thread(|| sum(1_000)), 500_500);
}
