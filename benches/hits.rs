//! What a hit costs beside the least it could cost: a local one beside a raw `quick_cache` get, a
//! shared one beside a raw `GET` and decode with the same client, a strict local one beside the
//! same; and what a call costs beside its body while the server is away. Run it with
//! `cargo bench --bench hits`; it starts a Redis of its own. Rounds alternate (A B A B …), and what
//! counts is the median of the ratios: on a noisy machine single times mean little.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use afresh::{Cache, Consistency, cached};
use afresh_test_support::{Server, Stop, eventually};
use serde::{Deserialize, Serialize};

const KEYS: i64 = 1_000;
const ROUNDS: usize = 21;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Book {
    id: i64,
    title: String,
    author: String,
    blurb: String,
}

fn make(id: i64) -> Arc<Book> {
    Arc::new(Book {
        id,
        title: format!("The {id}th book on caching"),
        author: "Somebody Known".to_owned(),
        blurb: "what it is about, in so many words ".repeat(3),
    })
}

#[cached(ttl = 3600, key = "book:{id}", tags = ["books", "book:{id}"], singleflight)]
async fn book(id: i64) -> Arc<Book> {
    make(id)
}

#[cached(ttl = 3600, key = "book:{id}", tags = ["books", "book:{id}", "shop"], singleflight, cache = cache)]
async fn shared_book(cache: &Cache, id: i64) -> Arc<Book> {
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

/// A hit is ready at its first poll: no executor stands between it and the clock. Inlined, because
/// an `.await` moves its future nowhere either.
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
fn compare(name: &str, times: impl Iterator<Item = (Duration, Duration)>, calls: u32) {
    let mut pairs: Vec<(f64, f64)> = times
        .map(|(ours, raw)| {
            let each = |all: Duration| all.as_secs_f64() * 1e9 / f64::from(calls);
            (each(ours), each(raw))
        })
        .collect();
    let mut median = |of: fn(&(f64, f64)) -> f64| {
        pairs.sort_by(|a, b| of(a).total_cmp(&of(b)));
        let at = |part: usize| of(&pairs[pairs.len() * part / 4]);
        (at(1), at(2), at(3))
    };
    let ours = median(|pair| pair.0).1;
    let raw = median(|pair| pair.1).1;
    let (low, middle, high) = median(|pair| pair.0 / pair.1);
    println!("{name:<28}{ours:>12.1} ns{raw:>12.1} ns{middle:>9.2}   [{low:.2} .. {high:.2}]");
}

fn local() {
    const CALLS: usize = 1_000_000;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for id in 0..KEYS {
        runtime.block_on(book(id));
    }
    let raw = quick_cache::sync::Cache::<i64, Arc<Book>>::new(10_000);
    for id in 0..KEYS {
        raw.insert(id, make(id));
    }
    let rounds = (0..ROUNDS).map(|round| {
        let start = Instant::now();
        for id in order(round).take(CALLS) {
            black_box(now(book(black_box(id))));
        }
        let ours = start.elapsed();
        let start = Instant::now();
        for id in order(round).take(CALLS) {
            black_box(raw.get(&black_box(id)));
        }
        (ours, start.elapsed())
    });
    compare("local hit / quick_cache get", rounds, CALLS as u32);
}

async fn shared() {
    const CALLS: usize = 5_000;
    let server = Server::start();
    let cache = Cache::builder()
        .url(server.plain_url())
        .local(false)
        .build()
        .await
        .expect("a URL");
    for id in 0..KEYS {
        shared_book(&cache, id).await;
    }
    let client = redis::Client::open(server.plain_url()).expect("a URL");
    let mut raw = client
        .get_multiplexed_async_connection()
        .await
        .expect("a server");
    for id in 0..KEYS {
        let bytes = postcard::to_stdvec(&make(id)).expect("plain data");
        redis::cmd("SET")
            .arg(format!("raw:{id}"))
            .arg(bytes)
            .exec_async(&mut raw)
            .await
            .expect("a server");
    }
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let start = Instant::now();
        for id in order(round).take(CALLS) {
            black_box(shared_book(&cache, id).await);
        }
        let ours = start.elapsed();
        let start = Instant::now();
        for id in order(round).take(CALLS) {
            let bytes: Vec<u8> = redis::cmd("GET")
                .arg(format!("raw:{id}"))
                .query_async(&mut raw)
                .await
                .expect("a server");
            let book: Arc<Book> = postcard::from_bytes(&bytes).expect("what was set");
            black_box(book);
        }
        times.push((ours, start.elapsed()));
    }
    assert_eq!(
        cache.stats().computed,
        KEYS as u64,
        "everything measured was a hit"
    );
    compare(
        "shared hit / GET and decode",
        times.into_iter(),
        CALLS as u32,
    );
}

/// A local hit in `Strict`: one small round trip, shared by all that wait at one time.
async fn strict(tasks: usize) {
    const CALLS: usize = 6_400;
    let server = Server::start();
    let cache = Cache::builder()
        .url(server.plain_url())
        .consistency(Consistency::Strict)
        .build()
        .await
        .expect("a URL");
    for id in 0..KEYS {
        shared_book(&cache, id).await;
    }
    let client = redis::Client::open(server.plain_url()).expect("a URL");
    let raw = client
        .get_multiplexed_async_connection()
        .await
        .expect("a server");
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let start = Instant::now();
        futures_util::future::join_all((0..tasks).map(|task| {
            let cache = &cache;
            async move {
                for id in order(round + task).take(CALLS / tasks) {
                    black_box(shared_book(cache, id).await);
                }
            }
        }))
        .await;
        let ours = start.elapsed();
        let start = Instant::now();
        futures_util::future::join_all((0..tasks).map(|_| {
            let mut raw = raw.clone();
            async move {
                for _ in 0..CALLS / tasks {
                    redis::cmd("PING")
                        .exec_async(&mut raw)
                        .await
                        .expect("a server");
                }
            }
        }))
        .await;
        times.push((ours, start.elapsed()));
    }
    assert_eq!(
        cache.stats().computed,
        KEYS as u64,
        "everything measured was a hit"
    );
    let name = format!("strict hit / PING, {tasks} tasks");
    compare(&name, times.into_iter(), CALLS as u32);
}

/// A call while the server is away, beside its body.
async fn away() {
    const CALLS: usize = 20_000;
    let server = Server::start();
    let cache = Cache::builder()
        .url(server.plain_url())
        .local(false)
        .build()
        .await
        .expect("a URL");
    server.stop(Stop::Kill);
    eventually("the loss", || {
        let start = Instant::now();
        let book = futures_util::FutureExt::now_or_never(shared_book(&cache, 0));
        book.is_some() && start.elapsed() < Duration::from_millis(1)
    });
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let start = Instant::now();
        for id in order(round).take(CALLS) {
            black_box(shared_book(&cache, id).await);
        }
        let ours = start.elapsed();
        let start = Instant::now();
        for id in order(round).take(CALLS) {
            black_box(make(black_box(id)));
        }
        times.push((ours, start.elapsed()));
    }
    assert_eq!(cache.stats().hits_shared, 0);
    compare("server away / the body", times.into_iter(), CALLS as u32);
}

fn main() {
    println!("{:<28}{:>15}{:>15}{:>9}", "", "afresh", "raw", "ratio");
    local();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(shared());
    runtime.block_on(strict(1));
    runtime.block_on(strict(64));
    // The connection's task must go on while the calls are made.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(away());
}
