//! What the cached functions read: a stand-in for a database, one in the process. It counts who
//! asks, and takes as long, or fails, as the behaviour wants. Every cached function on the
//! scoreboard has `source::read(id).await`, or one of its two siblings, for a body.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the body of a cached function fails with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(FAILED)
    }
}

impl std::error::Error for Failed {}

/// The text of [`Failed`].
pub(crate) const FAILED: &str = "the source fails";

struct Source {
    value: i64,
    takes: Duration,
    fails: bool,
    runs: HashMap<i64, usize>,
    last_id: i64,
}

static SOURCE: LazyLock<Mutex<Source>> = LazyLock::new(|| {
    Mutex::new(Source {
        value: 1,
        takes: Duration::ZERO,
        fails: false,
        runs: HashMap::new(),
        // No other process has these ids: what it left in the server is none of ours.
        last_id: i64::from(std::process::id()) << 32,
    })
});

fn source() -> MutexGuard<'static, Source> {
    SOURCE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body of a cached function. It has what is in the source when it begins, as a query has.
pub async fn read(id: i64) -> Result<i64, Failed> {
    let (value, takes, fails) = {
        let mut source = source();
        *source.runs.entry(id).or_default() += 1;
        (source.value, source.takes, source.fails)
    };
    if !takes.is_zero() {
        tokio::time::sleep(takes).await;
    }
    if fails { Err(Failed) } else { Ok(value) }
}

/// The body of a cached function that has its value by itself.
pub async fn says<T>(value: T) -> T {
    std::future::ready(value).await
}

/// What a cached function that is called with two texts [`says`].
pub fn join(first: &str, second: &str) -> String {
    format!("<{first}><{second}>")
}

/// An id that nothing was stored under.
pub(crate) fn fresh_id() -> i64 {
    let mut source = source();
    source.last_id += 1;
    source.last_id
}

/// Changes what the source has.
pub(crate) fn write(value: i64) {
    source().value = value;
}

/// Bodies that begin from now on take this long.
pub(crate) fn takes(time: Duration) {
    source().takes = time;
}

/// Bodies that begin from now on fail.
pub(crate) fn fails() {
    source().fails = true;
}

/// How often a body was run for this id.
pub(crate) fn runs(id: i64) -> usize {
    source().runs.get(&id).copied().unwrap_or(0)
}

/// Waits until a body has begun for this id.
pub(crate) async fn begun(id: i64) {
    while runs(id) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
