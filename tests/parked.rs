//! Calls that are polled for a while and then left alone, as `select!` and `buffered` do: wherever
//! they stand, they hold up nobody else, but for a flight's followers, and these no longer than
//! their `wait`. One thread runs everything, so that nothing moves while a call is polled.
#![cfg(feature = "redis")]

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Wake, Waker};

use afresh::{Cache, Consistency, Outcome, Tier, cached, outcome};
use afresh_test_support::{PATIENCE, ReplyGate, Server};
use futures_util::FutureExt;
use tokio::sync::Semaphore;

const LOCAL: Outcome = Outcome::Hit(Tier::Local);

#[cached(ttl = 1800, key = "{id}", tags = ["books"], cache = cache)]
async fn book(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

#[cached(ttl = 1800, key = "{id}", tags = ["books"], singleflight(lease = "1h", wait = "200ms"), cache = cache)]
async fn flown(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

#[cached(ttl = 1800, key = "{id}", tags = ["books"], singleflight(lease = "1h", wait = "200ms"), cache = cache)]
async fn stuck(cache: &Cache, source: &AtomicU64, gate: &Semaphore, id: u64) -> u64 {
    gate.acquire().await.expect("never closed").forget();
    source.load(Ordering::SeqCst)
}

/// A server, a cache whose calls are parked, and one of another process.
struct Pair {
    server: Server,
    gate: ReplyGate,
    one: Cache,
    two: Cache,
    source: AtomicU64,
}

impl Pair {
    async fn start(consistency: Consistency) -> Self {
        let server = Server::start();
        let gate = ReplyGate::before(&server);
        let one = Cache::builder().url(gate.url()).prefix("shop");
        let one = one.consistency(consistency).op_timeout(PATIENCE).build();
        let one = one.await.expect("a cache");
        let two = Cache::builder().url(server.url()).prefix("shop").build();
        let two = two.await.expect("a cache");
        Self {
            server,
            gate,
            one,
            two,
            source: AtomicU64::new(0),
        }
    }

    fn has_seen(&self, command: &str, times: u64) -> bool {
        let stats = self.server.commandstats();
        stats.get(command).is_some_and(|&count| count >= times)
    }

    /// Polls a call until the server has seen this command so many times; it is left where it
    /// waits for the answer.
    async fn park<F: Future + Unpin>(&self, call: &mut F, command: &str, times: u64) {
        soon(async {
            loop {
                assert!(call.now_or_never().is_none(), "it ended");
                // Whatever that poll has sent is written when the connection's task has run.
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                if self.has_seen(command, times) {
                    return;
                }
            }
        })
        .await;
    }

    /// Everything that others do: the same key and another one, both functions, invalidations of
    /// this process and their effect in the other.
    async fn others_go_on(&self) {
        for id in [1, 2] {
            let new = self.source.fetch_add(1, Ordering::SeqCst) + 1;
            soon(self.one.invalidate(["books"])).await.expect("it is");
            let read = || outcome(book(&self.one, &self.source, id));
            assert_eq!(soon(read()).await.0, new);
            assert_eq!(soon(read()).await, (new, LOCAL));
            assert_eq!(soon(flown(&self.one, &self.source, id)).await, new);
            soon(async {
                while book(&self.two, &self.source, id).await != new {
                    tokio::task::yield_now().await;
                }
            })
            .await;
            assert_eq!(soon(flown(&self.two, &self.source, id)).await, new);
        }
    }
}

/// What hangs, fails.
async fn soon<F: Future>(call: F) -> F::Output {
    tokio::time::timeout(PATIENCE / 3, call)
        .await
        .expect("it hangs")
}

/// Remembers that it was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_call_parked_in_a_look_up() {
    let pair = Pair::start(Consistency::Bounded).await;
    for after in ["nothing", "a drop"] {
        pair.server.reset_stats();
        let mut call = Box::pin(book(&pair.one, &pair.source, 1));
        pair.park(&mut call, "get", 1).await;
        if after == "a drop" {
            drop(call);
            pair.others_go_on().await;
            return;
        }
        pair.others_go_on().await;
        // Taken up again, it goes on from where it was.
        soon(call).await;
        soon(pair.one.invalidate(["books"])).await.expect("it is");
    }
}

#[tokio::test]
async fn a_call_parked_in_a_catch_up() {
    let pair = Pair::start(Consistency::Bounded).await;
    pair.others_go_on().await;
    pair.gate.hold();
    pair.two.invalidate(["other"]).await.expect("it is");
    pair.server.reset_stats();
    let mut call = Box::pin(book(&pair.one, &pair.source, 3));
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    assert!(call.as_mut().poll(&mut context).is_pending());
    soon(async {
        while !pair.has_seen("get", 1) {
            tokio::task::yield_now().await;
        }
        pair.gate.release();
        while !woken.0.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // The note came before the answer, and what it tells of has not been read yet.
    assert!(call.as_mut().poll(&mut context).is_pending());
    pair.others_go_on().await;
    soon(call).await;
}

#[tokio::test]
async fn a_call_parked_in_a_barrier() {
    let pair = Pair::start(Consistency::Strict).await;
    pair.others_go_on().await;
    let mut call = Box::pin(book(&pair.one, &pair.source, 1));
    assert!(
        call.as_mut().now_or_never().is_none(),
        "it asks for a proof"
    );
    pair.others_go_on().await;
    soon(call).await;
}

#[tokio::test]
async fn a_call_parked_in_an_ask() {
    let mut pair = Pair::start(Consistency::Bounded).await;
    book(&pair.two, &pair.source, 1).await;
    pair.two.invalidate(["other"]).await.expect("it is");
    // It comes later, and knows nothing of what is older than the last record.
    let late = Cache::builder().url(pair.gate.url()).prefix("shop");
    pair.one = late.op_timeout(PATIENCE).build().await.expect("a cache");
    pair.server.reset_stats();
    let mut call = Box::pin(outcome(book(&pair.one, &pair.source, 1)));
    pair.park(&mut call, "evalsha", 1).await;
    assert!(
        !pair.has_seen("xadd", 1) && !pair.has_seen("set", 1),
        "an ask"
    );
    pair.others_go_on().await;
    soon(call).await;
}

#[tokio::test]
async fn an_invalidation_parked_in_its_append() {
    let pair = Pair::start(Consistency::Bounded).await;
    pair.others_go_on().await;
    pair.server.reset_stats();
    let mut call = Box::pin(pair.one.invalidate(["books"]));
    pair.park(&mut call, "xadd", 1).await;
    pair.others_go_on().await;
    // Dropped, it is owed until it is known to have been made.
    drop(call);
    soon(async {
        while pair.one.stats().owed > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    pair.others_go_on().await;
}

/// A flight's leader, wherever it stands: its followers compute when their wait is over.
#[tokio::test]
async fn a_leader_that_is_parked() {
    // The scripts that it has called by then: the bid, and the fill after it.
    for (at, scripts) in [("a bid", 1), ("a fill", 2)] {
        let pair = Pair::start(Consistency::Bounded).await;
        pair.server.reset_stats();
        let mut call = Box::pin(flown(&pair.one, &pair.source, 1));
        pair.park(&mut call, "evalsha", scripts).await;
        for cache in [&pair.one, &pair.two] {
            let read = soon(flown(cache, &pair.source, 1)).await;
            assert_eq!(read, 0, "{at}");
        }
        pair.others_go_on().await;
        soon(call).await;
        pair.others_go_on().await;
    }
}

#[tokio::test]
async fn a_leader_that_is_parked_in_its_body() {
    let pair = Pair::start(Consistency::Bounded).await;
    let gate = Semaphore::new(0);
    let calls = |cache| Box::pin(outcome(stuck(cache, &pair.source, &gate, 1)));
    let mut leader: Pin<Box<_>> = calls(&pair.one);
    pair.server.reset_stats();
    pair.park(&mut leader, "evalsha", 1).await;
    gate.add_permits(2);
    for cache in [&pair.one, &pair.two] {
        assert_eq!(soon(calls(cache)).await, (0, Outcome::Computed));
    }
    assert_eq!(
        pair.one.stats().wait_timeouts + pair.two.stats().wait_timeouts,
        2
    );
    pair.others_go_on().await;
    gate.add_permits(1);
    soon(leader).await;
}
