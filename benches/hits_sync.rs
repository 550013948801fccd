//! What a hit of a sync function costs beside one of an async function, and a hit in the shared
//! store in a program that has sync functions, where the connection is on a thread of its own. Run it
//! with `cargo bench --bench hits_sync`; it starts a Redis of its own. Rounds alternate, and what
//! counts is the median of the ratios.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use afresh::{Cache, cached};
use afresh_test_support::Server;

const KEYS: i64 = 1_000;
const ROUNDS: usize = 21;

type Book = (i64, String, String);

fn make(id: i64) -> Arc<Book> {
    Arc::new((
        id,
        format!("The {id}th book on caching"),
        "what it is about ".repeat(7),
    ))
}

#[cached(ttl = 3600, key = "book:{id}", tags = ["books", "book:{id}"], singleflight)]
async fn book(id: i64) -> Arc<Book> {
    make(id)
}

#[cached(ttl = 3600, key = "book:{id}", tags = ["books", "book:{id}"], singleflight)]
fn book_sync(id: i64) -> Arc<Book> {
    make(id)
}

#[cached(ttl = 3600, key = "book:{id}", tags = ["books", "book:{id}"], cache = cache)]
async fn shared(cache: &Cache, id: i64) -> Arc<Book> {
    make(id)
}

#[cached(ttl = 3600, key = "book:{id}", tags = ["books", "book:{id}"], cache = cache)]
fn shared_sync(cache: &Cache, id: i64) -> Arc<Book> {
    make(id)
}

/// The keys in an order that no prefetcher guesses, the same for both sides.
fn order(round: usize) -> impl Iterator<Item = i64> {
    let mut state = round as u64 * 2 + 1;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33).cast_signed() % KEYS
    })
}

/// A hit is ready at its first poll: no executor stands between it and the clock.
#[expect(
    clippy::inline_always,
    reason = "moving the future would be measured with it"
)]
#[inline(always)]
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a local hit had to wait"),
    }
}

/// One call's time in each of two ways, in turn; the median of each, and of the ratios.
fn compare(name: &str, calls: u32, mut one: impl FnMut(i64), mut other: impl FnMut(i64)) {
    let time = |round: usize, call: &mut dyn FnMut(i64)| {
        let start = Instant::now();
        order(round).take(calls as usize).for_each(call);
        start.elapsed()
    };
    let mut pairs: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|round| {
            let each = |all: Duration| all.as_secs_f64() * 1e9 / f64::from(calls);
            (each(time(round, &mut one)), each(time(round, &mut other)))
        })
        .collect();
    let mut median = |of: fn(&(f64, f64)) -> f64| {
        pairs.sort_by(|a, b| of(a).total_cmp(&of(b)));
        let at = |part: usize| of(&pairs[pairs.len() * part / 4]);
        (at(1), at(2), at(3))
    };
    let (ours, theirs) = (median(|pair| pair.0).1, median(|pair| pair.1).1);
    let (low, middle, high) = median(|pair| pair.0 / pair.1);
    println!("{name:<34}{ours:>12.1} ns{theirs:>12.1} ns{middle:>9.2}   [{low:.2} .. {high:.2}]");
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    println!(
        "{:<34}{:>15}{:>15}{:>9}   quartiles",
        "", "first", "second", "ratio"
    );
    for id in 0..KEYS {
        runtime.block_on(book(id));
        book_sync(id);
    }
    compare(
        "local hit, sync / async",
        1_000_000,
        |id| drop(black_box(book_sync(black_box(id)))),
        |id| drop(black_box(now(book(black_box(id))))),
    );
    let server = Server::start();
    let built = Cache::builder()
        .url(server.plain_url())
        .local(false)
        .build();
    let cache = runtime.block_on(built).expect("a URL");
    for id in 0..KEYS {
        runtime.block_on(shared(&cache, id));
        shared_sync(&cache, id);
    }
    compare(
        "shared hit, sync / async",
        5_000,
        |id| drop(black_box(shared_sync(&cache, id))),
        |id| drop(black_box(runtime.block_on(shared(&cache, id)))),
    );
    let client = redis::Client::open(server.plain_url()).expect("a URL");
    let mut raw = runtime
        .block_on(client.get_multiplexed_async_connection())
        .expect("a server");
    for id in 0..KEYS {
        let bytes = postcard::to_stdvec(&make(id)).expect("plain data");
        let mut set = redis::cmd("SET");
        set.arg(format!("raw:{id}")).arg(bytes);
        runtime
            .block_on(set.exec_async(&mut raw))
            .expect("a server");
    }
    compare(
        "shared hit, async / GET and decode",
        5_000,
        |id| drop(black_box(runtime.block_on(shared(&cache, id)))),
        |id| {
            let mut get = redis::cmd("GET");
            get.arg(format!("raw:{id}"));
            let bytes: Vec<u8> = runtime
                .block_on(get.query_async(&mut raw))
                .expect("a server");
            black_box(postcard::from_bytes::<Arc<Book>>(&bytes).expect("what was set"));
        },
    );
    assert_eq!(
        cache.stats().computed,
        2 * KEYS as u64,
        "what was measured were hits"
    );
}
