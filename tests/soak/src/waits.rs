//! A thread that waits for another one's compute. The library serves such threads from one of its
//! own, which the first of them starts and which stays: among many calls that may be any of them.

use std::fs;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use afresh::{Cache, cached};
use afresh_test_support::eventually;

use crate::world::World;

/// Where a body is held, and told to go on.
struct Gate {
    entered: mpsc::Sender<()>,
    go: Mutex<mpsc::Receiver<()>>,
}

#[cached(ttl = world.ttl, key = "held", singleflight, cache = cache)]
fn held(cache: &Cache, world: &World, gate: &Gate) -> u64 {
    // Nobody listens for a second one, and nobody holds it.
    let _ = gate.entered.send(());
    let _ = gate
        .go
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv();
    1
}

/// Has one thread compute and another one wait for it, until the library's own thread is there.
pub(crate) fn wait_once(cache: &Cache, world: &World) {
    let (entered, enters) = mpsc::channel();
    let (goes, go) = mpsc::channel();
    let gate = Gate {
        entered,
        go: Mutex::new(go),
    };
    thread::scope(|scope| {
        scope.spawn(|| held(cache, world, &gate));
        enters.recv().expect("a compute");
        scope.spawn(|| held(cache, world, &gate));
        eventually("the library's own thread", || {
            threads().any(|name| name == "afresh")
        });
        drop(goes);
    });
}

/// The names of this process's threads.
fn threads() -> impl Iterator<Item = String> {
    let threads = fs::read_dir("/proc/self/task").expect("Linux's /proc");
    let names =
        threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.map(|name| name.trim_end().to_owned())
}
