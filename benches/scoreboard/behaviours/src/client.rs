//! What a behaviour asks of a library: calls of cached functions, and invalidations.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;

use tokio::task::JoinHandle;

use crate::source;

/// What a call came to: the value, or the text of the error.
pub type Outcome = Result<i64, String>;

/// One client of a cache, as a process has one: its own local tier and its own connection, where
/// the library has such.
pub trait Client: Clone + Send + Sync + 'static {
    /// Calls a cached function whose body is [`source::read`](crate::source::read).
    fn read(&self, id: i64) -> impl Future<Output = Outcome> + Send;
}

/// A library that has a way to invalidate.
pub trait Invalidates: Client {
    /// Invalidates what `read` of this id is stored as; returns once the library says it is done.
    fn invalidate(&self, id: i64) -> impl Future<Output = Result<(), String>> + Send;
}

/// A library that has tags.
pub trait Tags: Client {
    /// As `read`, of a function with the same tag and a ttl of 1 s.
    fn read_short(&self, id: i64) -> impl Future<Output = Outcome> + Send;

    /// Invalidates the one tag that `read` and `read_short` give to all their entries.
    fn invalidate_tag(&self) -> impl Future<Output = Result<(), String>> + Send;
}

/// Calls, on a task of its own, as a server's requests are.
pub(crate) fn ask(client: &impl Client, id: i64) -> JoinHandle<Outcome> {
    let client = client.clone();
    tokio::spawn(async move { unwound(client.read(id)).await? })
}

/// Calls, and waits for it.
pub(crate) async fn answer(client: &impl Client, id: i64) -> Outcome {
    ended(ask(client, id)).await
}

/// What a call on a task came to.
pub(crate) async fn ended(call: JoinHandle<Outcome>) -> Outcome {
    match call.await {
        Ok(outcome) => outcome,
        Err(error) => Err(error.to_string()),
    }
}

/// Runs a library's code; its panic is an error of its own.
pub(crate) async fn unwound<T>(code: impl Future<Output = T>) -> Result<T, String> {
    let mut code = pin!(code);
    std::future::poll_fn(|context| {
        let polled = AssertUnwindSafe(|| code.as_mut().poll(context));
        match std::panic::catch_unwind(polled) {
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Err(format!("panics: {}", text(&*panic)))),
        }
    })
    .await
}

fn text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no text")
}

/// Writes 2 and invalidates the entry of this id; what is said of it must be done.
pub(crate) async fn change(client: &impl Invalidates, id: i64) -> Result<(), String> {
    source::write(2);
    unwound(client.invalidate(id)).await?
}

/// Whether an entry that nobody computes is invalidated at all: else there is nothing to ask.
pub(crate) async fn at_rest(client: &impl Invalidates) -> Result<(), String> {
    let id = source::fresh_id();
    source::write(1);
    let before = answer(client, id).await?;
    change(client, id).await?;
    let after = answer(client, id).await?;
    source::write(1);
    match (before, after) {
        (1, 2) => Ok(()),
        other => Err(format!(
            "{other:?} before and after an invalidation at rest"
        )),
    }
}
