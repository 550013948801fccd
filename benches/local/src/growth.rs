//! How the cost of a hit grows: with the number of keys, of tags, of tasks.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use afresh::{Cache, cached};
use afresh_measure::{Book, Contender, Point, in_turn, order};

use crate::drive::{self, Load};
use crate::peers::quick;

pub(crate) fn all(rounds: usize, calls: usize) {
    tags(rounds, calls);
    tasks(rounds, calls);
    // Last: ten million keys take a while, and gigabytes.
    keys(rounds.min(7), calls);
}

#[cached(ttl = 3600, key = "{id}", tags = ["numbers"], cache = cache)]
async fn number(cache: &Cache, id: i64) -> i64 {
    id
}

/// Keys from a thousand to ten million, of a small value.
fn keys(rounds: usize, calls: usize) {
    for exponent in 3..=7 {
        let keys = 10_i64.pow(exponent);
        let runtime = drive::runtime();
        let cache = runtime.block_on(async {
            let entries = usize::try_from(keys).expect("a number of keys") * 2;
            let builder = Cache::builder().local_capacity(entries);
            builder.build().await.expect("a cache in memory")
        });
        let raw = quick_cache::sync::Cache::new(keys as usize * 2);
        runtime.block_on(async {
            for id in 0..keys {
                number(&cache, id).await;
                raw.insert(id, id);
            }
        });
        let load = Load {
            threads: 1,
            keys,
            calls,
        };
        let point = Point::new("growth: keys", &format!("10^{exponent}"), "ns").at(keys as f64);
        in_turn(
            &point,
            rounds,
            vec![
                Contender::new("quick_cache get", |round| {
                    drive::asynchronous(load, round, &async |id| raw.get(&id))
                }),
                Contender::new("afresh", |round| {
                    drive::asynchronous(load, round, &async |id| number(&cache, id).await)
                }),
            ],
        );
    }
}

/// A function whose entries carry this many tags.
macro_rules! tagged {
    ($name:ident, $key:literal, [$($tag:literal),*]) => {
        #[cached(ttl = 3600, key = $key, tags = [$($tag),*], singleflight)]
        async fn $name(id: i64) -> Arc<Book> {
            Arc::new(Book::new(id))
        }
    };
}

tagged!(tags_0, "tags-0:{id}", []);
tagged!(tags_1, "tags-1:{id}", ["a1"]);
tagged!(tags_4, "tags-4:{id}", ["a1", "a2", "a3", "a4:{id}"]);
tagged!(
    tags_8,
    "tags-8:{id}",
    ["a1", "a2", "a3", "a4:{id}", "a5", "a6", "a7", "a8:{id}"]
);
tagged!(
    tags_16,
    "tags-16:{id}",
    [
        "a1", "a2", "a3", "a4:{id}", "a5", "a6", "a7", "a8:{id}", "b1", "b2", "b3", "b4:{id}",
        "b5", "b6", "b7", "b8:{id}"
    ]
);
tagged!(
    tags_32,
    "tags-32:{id}",
    [
        "a1", "a2", "a3", "a4:{id}", "a5", "a6", "a7", "a8:{id}", "b1", "b2", "b3", "b4:{id}",
        "b5", "b6", "b7", "b8:{id}", "c1", "c2", "c3", "c4:{id}", "c5", "c6", "c7", "c8:{id}",
        "d1", "d2", "d3", "d4:{id}", "d5", "d6", "d7", "d8:{id}"
    ]
);

/// Entries with no tags, and with up to 32.
fn tags(rounds: usize, calls: usize) {
    let load = Load {
        threads: 1,
        keys: 1_000,
        calls,
    };
    macro_rules! point {
        ($function:ident, $tags:literal) => {{
            drive::asynchronous(
                Load {
                    calls: 10_000,
                    ..load
                },
                0,
                &$function,
            );
            let point = Point::new("growth: tags", stringify!($tags), "ns").at(f64::from($tags));
            in_turn(
                &point,
                rounds,
                vec![Contender::new("afresh", |round| {
                    drive::asynchronous(load, round, &$function)
                })],
            );
        }};
    }
    point!(tags_0, 0);
    point!(tags_1, 1);
    point!(tags_4, 4);
    point!(tags_8, 8);
    point!(tags_16, 16);
    point!(tags_32, 32);
}

/// Tasks from one to ten thousand, on two threads, all of them hitting.
fn tasks(rounds: usize, calls: usize) {
    const KEYS: i64 = 1_000;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let raw = Arc::new(quick::filled(KEYS));
    drive::asynchronous(
        Load {
            threads: 1,
            keys: KEYS,
            calls: 10_000,
        },
        0,
        &tags_4,
    );
    for exponent in 0..=4 {
        let tasks = 10_usize.pow(exponent);
        let each = (calls * 2 / tasks).max(1);
        let point = Point::new("growth: tasks", &format!("10^{exponent}"), "ns").at(tasks as f64);
        // Of all tasks together: the time that passes, by the number of calls.
        macro_rules! together {
            ($round:expr, $call:expr) => {
                runtime.block_on(async {
                    let start = Instant::now();
                    let all: Vec<_> = (0..tasks)
                        .map(|task| {
                            let call = $call;
                            tokio::spawn(async move {
                                for id in order($round + task, KEYS).take(each) {
                                    black_box(call(black_box(id)).await);
                                }
                            })
                        })
                        .collect();
                    for task in all {
                        task.await.expect("a task");
                    }
                    start.elapsed().as_secs_f64() * 1e9 / (tasks * each) as f64
                })
            };
        }
        in_turn(
            &point,
            rounds,
            vec![
                Contender::new("quick_cache get", |round| {
                    together!(round, {
                        let raw = Arc::clone(&raw);
                        move |id| std::future::ready(raw.get(&id))
                    })
                }),
                Contender::new("afresh", |round| together!(round, tags_4)),
            ],
        );
    }
}
