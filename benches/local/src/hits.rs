//! A hit, with everything on: each library as its users would set it up for such a function.

use std::hint::black_box;
use std::sync::Arc;

use afresh_measure::{Book, Contender, Point, Series, in_turn};

use crate::drive::{self, Load};
use crate::peers::{amalgam, cached, cachekit, hitbox, moka, ours, quick};

/// As many keys, all of them warm.
const KEYS: i64 = 1_000;

pub(crate) fn asynchronous(rounds: usize, calls: usize) {
    let raw = quick::filled(KEYS);
    let amalgam = amalgam::Setup::new();
    let moka = moka::future();
    let hitbox = hitbox::cache();
    let cachekit = cachekit::Setup::new();
    let warm = Load {
        threads: 1,
        keys: KEYS,
        calls: KEYS as usize * 10,
    };
    for threads in [1, 2] {
        let case = if threads == 1 {
            "1 thread"
        } else {
            "2 threads"
        };
        let point = Point::new("local hit, async", case, "ns").at(threads as f64);
        let load = |calls| Load {
            threads,
            keys: KEYS,
            calls,
        };
        // What takes microseconds is called less often.
        let (many, few) = (load(calls), load(calls / 10));
        macro_rules! contender {
            ($name:expr, $load:expr, $call:expr) => {{
                let call = $call;
                drive::asynchronous(warm, 0, &call);
                Contender::new($name, move |round| drive::asynchronous($load, round, &call))
            }};
        }
        in_turn(
            &point,
            rounds,
            vec![
                contender!("quick_cache get", many, async |id| raw.get(&id)),
                contender!(ours::ASYNC, many, ours::book),
                contender!("cached #[cached]", many, cached::book),
                contender!("cached #[cached] by_key", many, cached::book_by_key),
                contender!("cached #[concurrent_cached]", many, cached::book_concurrent),
                contender!("moka get_with", many, async |id| moka::get_with(&moka, id)
                    .await),
                contender!("amalgam get_or_set, tags", many, async |id| amalgam
                    .book(id)
                    .await),
                contender!("hitbox #[cached], moka", few, async |id| hitbox::book(
                    &hitbox, id
                )
                .await),
                contender!("cachekit #[cachekit], L1", few, async |id| cachekit
                    .book(id)
                    .await),
            ],
        );
    }
    let raw = |id| raw.get(&id);
    allocations("quick_cache get", async |id| raw(id));
    allocations(ours::ASYNC, ours::book);
    allocations("cached #[cached]", cached::book);
    allocations("cached #[concurrent_cached]", cached::book_concurrent);
    allocations("moka get_with", async |id| moka::get_with(&moka, id).await);
    allocations("amalgam get_or_set, tags", async |id| {
        amalgam.book(id).await
    });
    allocations("hitbox #[cached], moka", async |id| {
        hitbox::book(&hitbox, id).await
    });
    allocations("cachekit #[cachekit], L1", async |id| {
        cachekit.book(id).await
    });
}

/// How many allocations a hit makes.
fn allocations<T>(subject: &str, call: impl AsyncFn(i64) -> T) {
    const CALLS: u32 = 100;
    let runtime = drive::runtime();
    runtime.block_on(call(1));
    let counted = allocation_counter::measure(|| {
        runtime.block_on(async {
            for _ in 0..CALLS {
                black_box(call(black_box(1)).await);
            }
        });
    });
    Series {
        point: Point::new("local hit, async", "allocations", ""),
        subject: subject.to_owned(),
        rounds: vec![counted.count_total as f64 / f64::from(CALLS)],
    }
    .write();
}

pub(crate) fn synchronous(rounds: usize, calls: usize) {
    let raw = quick::filled(KEYS);
    let moka = moka::sync();
    for id in 0..KEYS {
        moka.insert(id, Arc::new(Book::new(id)));
    }
    let warm = Load {
        threads: 1,
        keys: KEYS,
        calls: KEYS as usize * 10,
    };
    for threads in [1, 2] {
        let case = if threads == 1 {
            "1 thread"
        } else {
            "2 threads"
        };
        let point = Point::new("local hit, sync", case, "ns").at(threads as f64);
        let load = Load {
            threads,
            keys: KEYS,
            calls,
        };
        macro_rules! contender {
            ($name:expr, $call:expr) => {{
                let call = $call;
                drive::synchronous(warm, 0, &call);
                Contender::new($name, move |round| drive::synchronous(load, round, &call))
            }};
        }
        in_turn(
            &point,
            rounds,
            vec![
                contender!("quick_cache get", |id| raw.get(&id)),
                contender!(ours::SYNC, ours::book_sync),
                contender!("cached #[cached]", cached::book_sync),
                contender!("cached #[concurrent_cached]", cached::book_sync_concurrent),
                contender!("moka get_with", |id| moka
                    .get_with(id, || Arc::new(Book::new(id)))),
            ],
        );
    }
}
