//! Hits in the process, so many as its arguments say, and nothing else: `async 1000`. What is
//! counted of them, and what is promised, is said by `cargo xtask instructions`.

use std::hint::black_box;
use std::sync::Arc;

use afresh::cached;

/// As many keys, in turn: what is counted does not hang on their order.
const KEYS: i64 = 64;

type Value = Arc<String>;

fn make(id: i64) -> Value {
    Arc::new(format!("{id:0>160}"))
}

#[cached(ttl = 3600, key = "book:{id}", tags = ["books", "book:{id}"], singleflight)]
async fn book(id: i64) -> Value {
    make(id)
}

#[cached(ttl = 3600, key = "book-sync:{id}", tags = ["books", "book:{id}"], singleflight)]
fn book_sync(id: i64) -> Value {
    make(id)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [case, calls] = &words[..] else {
        panic!("takes a case and a number of calls, not {words:?}");
    };
    let calls: i64 = calls.parse().expect("a number of calls");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let ids = || (0..KEYS).chain((0..calls).map(|call| call % KEYS));
    match case.as_str() {
        "async" => runtime.block_on(async {
            for id in ids() {
                black_box(book(black_box(id)).await);
            }
        }),
        "sync" => {
            for id in ids() {
                black_box(book_sync(black_box(id)));
            }
        }
        "raw" => {
            let cache = quick_cache::sync::Cache::new(1_000);
            for id in 0..KEYS {
                cache.insert(id, make(id));
            }
            for id in ids() {
                black_box::<Option<Value>>(cache.get(&black_box(id)));
            }
        }
        other => panic!("there is no case `{other}`"),
    }
}
