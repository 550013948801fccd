//! Calling again and again, on one thread or on several, and the time of one call. Who is called,
//! and in which order they take turns, is said elsewhere.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use afresh_measure::order;

/// How often, and over how many keys.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) threads: usize,
    pub(crate) keys: i64,
    /// Of each thread.
    pub(crate) calls: usize,
}

/// A runtime for one thread: what tasks and timers cost is not in the figures.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Nanoseconds of one call of an async function, on each thread.
pub(crate) fn asynchronous<T>(
    load: Load,
    round: usize,
    call: &(impl AsyncFn(i64) -> T + Sync),
) -> f64 {
    on_threads(load, |thread| {
        runtime().block_on(async {
            let start = Instant::now();
            for id in order(round * load.threads + thread, load.keys).take(load.calls) {
                black_box(call(black_box(id)).await);
            }
            start.elapsed().as_secs_f64()
        })
    })
}

/// Nanoseconds of one call of a function, on each thread.
pub(crate) fn synchronous<T>(load: Load, round: usize, call: &(impl Fn(i64) -> T + Sync)) -> f64 {
    on_threads(load, |thread| {
        let start = Instant::now();
        for id in order(round * load.threads + thread, load.keys).take(load.calls) {
            black_box(call(black_box(id)));
        }
        start.elapsed().as_secs_f64()
    })
}

fn on_threads(load: Load, run: impl Fn(usize) -> f64 + Sync) -> f64 {
    let seconds = if load.threads == 1 {
        run(0)
    } else {
        let together = Barrier::new(load.threads);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..load.threads)
                .map(|thread| {
                    let (together, run) = (&together, &run);
                    scope.spawn(move || {
                        together.wait();
                        run(thread)
                    })
                })
                .collect();
            let seconds = threads
                .into_iter()
                .map(|thread| thread.join().expect("a time"));
            seconds.sum::<f64>() / load.threads as f64
        })
    };
    seconds * 1e9 / load.calls as f64
}
