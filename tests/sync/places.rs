//! Where a sync function may be called: on threads without a runtime, and on those of each kind of
//! runtime.

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::LocalSet;

/// Runs something there, to its end.
pub(crate) type Place = fn(Box<dyn FnOnce() + Send>);

/// Each way to get at a thread, to run something on it.
pub(crate) const CONTEXTS: [(&str, Place); 9] = [
    ("a thread without a runtime", |call| {
        std::thread::spawn(call).join().expect("no panic");
    }),
    ("a task of a worker", |call| {
        let workers = workers();
        let task = workers.spawn(async move { call() });
        workers.block_on(task).expect("no panic");
    }),
    ("a worker that says that it blocks", |call| {
        let workers = workers();
        let task = workers.spawn(async move { tokio::task::block_in_place(call) });
        workers.block_on(task).expect("no panic");
    }),
    ("the outermost future of a runtime with workers", |call| {
        workers().block_on(async move { call() });
    }),
    ("the outermost future of a runtime of one thread", |call| {
        single().block_on(async move { call() });
    }),
    ("a task of a runtime of one thread", |call| {
        let single = single();
        let task = single.spawn(async move { call() });
        single.block_on(task).expect("no panic");
    }),
    ("a thread for what blocks", |call| {
        let workers = workers();
        let task = workers.spawn_blocking(call);
        workers.block_on(task).expect("no panic");
    }),
    ("a future on a thread for what blocks", |call| {
        let workers = workers();
        let task = workers.spawn_blocking(|| Handle::current().block_on(async move { call() }));
        workers.block_on(task).expect("no panic");
    }),
    ("a local task", |call| {
        let local = LocalSet::new();
        let task = local.spawn_local(async move { call() });
        single().block_on(local.run_until(task)).expect("no panic");
    }),
];

pub(crate) fn workers() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    let builder = builder.worker_threads(2).enable_all();
    builder.build().expect("a runtime")
}

/// One without timers and input, which a caller may have.
pub(crate) fn single() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}
