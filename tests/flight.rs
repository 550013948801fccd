//! One compute per key in this process: who leads, who follows, what they get, and that every wait
//! ends, whatever becomes of the leader. What invalidations do to flights is in `memory.rs`.

use std::convert::Infallible;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use afresh::{Cache, Outcome, cached, outcome};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::Semaphore;

/// A cache, a count of bodies that have begun, and a gate that each must pass to end.
struct World {
    cache: Cache,
    runs: AtomicUsize,
    begun: Semaphore,
    gate: Semaphore,
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            cache: Cache::in_memory(),
            runs: AtomicUsize::new(0),
            begun: Semaphore::new(0),
            gate: Semaphore::new(0),
        })
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    /// A body: says that it has begun, waits to be let through, returns its number.
    async fn body(&self) -> usize {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        self.begun.add_permits(1);
        pass(&self.gate).await;
        run
    }

    fn let_through(&self, bodies: usize) {
        self.gate.add_permits(bodies);
    }
}

async fn pass(gate: &Semaphore) {
    gate.acquire().await.expect("never closed").forget();
}

/// Polls once; says whether it waits.
fn waits<F: Future + Unpin>(call: &mut F) -> bool {
    call.now_or_never().is_none()
}

/// What hangs, fails.
async fn soon<F: Future>(call: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), call)
        .await
        .expect("it hangs")
}

#[cached(ttl = 60, key = "{id}", singleflight, cache = world.cache)]
async fn value(world: Arc<World>, id: usize) -> usize {
    world.body().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_callers_share_one_compute() {
    let world = World::new();
    let calls: Vec<_> = (0..200)
        .map(|_| tokio::spawn(value(world.clone(), 1)))
        .collect();
    soon(pass(&world.begun)).await;
    world.let_through(200);
    for call in soon(join_all(calls)).await {
        assert_eq!(call.expect("no panic"), 1);
    }
    let stats = world.cache.stats();
    assert_eq!((world.runs(), stats.computed), (1, 1));
    assert_eq!(stats.coalesced + stats.hits_local, 199);
}

#[tokio::test]
async fn a_follower_is_told_that_it_was_one() {
    let world = World::new();
    let mut leader = Box::pin(outcome(value(world.clone(), 1)));
    let mut follower = Box::pin(outcome(value(world.clone(), 1)));
    assert!(waits(&mut leader) && waits(&mut follower));
    world.let_through(1);
    assert_eq!(soon(leader).await, (1, Outcome::Computed));
    assert_eq!(soon(follower).await, (1, Outcome::Coalesced));
}

#[tokio::test]
async fn distinct_keys_do_not_wait_for_each_other() {
    let world = World::new();
    let mut calls: Vec<_> = (0..128)
        .map(|id| Box::pin(value(world.clone(), id)))
        .collect();
    assert!(calls.iter_mut().all(waits));
    assert_eq!(world.runs(), 128, "all have begun before any ended");
    world.let_through(128);
    soon(join_all(calls)).await;
}

#[tokio::test]
async fn without_singleflight_everyone_computes() {
    #[cached(ttl = 60, key = "{id}", cache = world.cache)]
    async fn alone(world: Arc<World>, id: usize) -> usize {
        world.body().await
    }

    let world = World::new();
    let mut calls: Vec<_> = (0..3).map(|_| Box::pin(alone(world.clone(), 1))).collect();
    assert!(calls.iter_mut().all(waits));
    assert_eq!(world.runs(), 3);
    world.let_through(3);
    soon(join_all(calls)).await;
    assert_eq!(world.cache.stats().coalesced, 0);
}

/// The followers of a leader that went: one of them computes, and all get that.
async fn one_takes_over(
    world: &Arc<World>,
    mut followers: Vec<Pin<Box<dyn Future<Output = usize>>>>,
) {
    assert!(followers.iter_mut().all(waits));
    assert_eq!(world.runs(), 2, "exactly one more compute");
    world.let_through(1);
    let values = soon(join_all(followers)).await;
    assert!(values.iter().all(|&value| value == 2), "{values:?}");
    assert_eq!(soon(value(world.clone(), 1)).await, 2, "stored");
}

fn followers(world: &Arc<World>) -> Vec<Pin<Box<dyn Future<Output = usize>>>> {
    let call = |_| Box::pin(value(world.clone(), 1)) as Pin<Box<dyn Future<Output = usize>>>;
    let mut followers: Vec<_> = (0..3).map(call).collect();
    assert!(followers.iter_mut().all(waits));
    assert_eq!(world.runs(), 1);
    followers
}

#[tokio::test]
async fn a_dropped_leader_is_replaced() {
    let world = World::new();
    let mut leader = Box::pin(value(world.clone(), 1));
    assert!(waits(&mut leader));
    let followers = followers(&world);
    drop(leader);
    one_takes_over(&world, followers).await;
}

#[tokio::test]
async fn an_aborted_leader_is_replaced() {
    let world = World::new();
    let leader = tokio::spawn(value(world.clone(), 1));
    soon(pass(&world.begun)).await;
    let followers = followers(&world);
    leader.abort();
    assert!(soon(leader).await.expect_err("aborted").is_cancelled());
    one_takes_over(&world, followers).await;
}

#[tokio::test]
async fn a_leader_that_lost_a_select_is_replaced() {
    let world = World::new();
    let mut followers = Vec::new();
    tokio::select! {
        biased;
        _ = value(world.clone(), 1) => unreachable!("the gate is closed"),
        () = async { followers = self::followers(&world) } => {}
    }
    one_takes_over(&world, followers).await;
}

#[tokio::test]
async fn a_panicking_leader_panics_and_is_replaced() {
    #[cached(ttl = 60, key = "{id}", singleflight, cache = world.cache)]
    async fn value(world: Arc<World>, id: usize) -> usize {
        let run = world.body().await;
        assert!(run > 1, "the first one");
        run
    }

    let world = World::new();
    let call = |_| Box::pin(AssertUnwindSafe(value(world.clone(), 1)).catch_unwind());
    let mut calls: Vec<_> = (0..3).map(call).collect();
    assert!(calls.iter_mut().all(waits));
    world.let_through(1);
    soon(calls.remove(0)).await.expect_err("the leader's own");
    assert!(calls.iter_mut().all(waits));
    assert_eq!(world.runs(), 2, "exactly one more compute");
    world.let_through(1);
    for call in soon(join_all(calls)).await {
        assert_eq!(call.expect("no panic"), 2);
    }
}

#[tokio::test]
async fn a_leader_that_goes_alone_leaves_nothing_behind() {
    let world = World::new();
    let mut leader = Box::pin(value(world.clone(), 1));
    assert!(waits(&mut leader));
    drop(leader);
    let mut next = Box::pin(outcome(value(world.clone(), 1)));
    assert!(waits(&mut next));
    world.let_through(1);
    assert_eq!(soon(next).await, (2, Outcome::Computed));
}

#[tokio::test]
async fn the_heir_may_go_too() {
    let world = World::new();
    let mut leader = Box::pin(value(world.clone(), 1));
    assert!(waits(&mut leader));
    let mut followers = followers(&world);
    drop(leader);
    let mut heir = followers.remove(0);
    assert!(waits(&mut heir));
    assert_eq!(world.runs(), 2);
    drop(heir);
    assert!(followers.iter_mut().all(waits));
    assert_eq!(world.runs(), 3);
    world.let_through(1);
    assert_eq!(soon(join_all(followers)).await, [3, 3]);
}

#[tokio::test]
async fn a_follower_that_goes_disturbs_nobody() {
    let world = World::new();
    let mut leader = Box::pin(value(world.clone(), 1));
    assert!(waits(&mut leader));
    let mut followers = followers(&world);
    followers.truncate(1);
    world.let_through(1);
    assert_eq!(soon(leader).await, 1);
    assert_eq!(soon(join_all(followers)).await, [1]);
}

/// Five callers, a body that fails: the outcomes, and how many bodies ran.
async fn fail<E, F>(call: impl Fn(Arc<World>) -> F) -> (Vec<Result<usize, E>>, usize)
where
    F: Future<Output = Result<usize, E>>,
{
    let world = World::new();
    let mut calls: Vec<_> = (0..5).map(|_| Box::pin(call(world.clone()))).collect();
    assert!(calls.iter_mut().all(waits));
    assert_eq!(world.runs(), 1);
    world.let_through(1);
    let mut results = vec![soon(calls.remove(0)).await];
    // Those who must compute for themselves do so side by side: they all begin before any ends.
    let mut done = Vec::new();
    for mut call in calls {
        match (&mut call).now_or_never() {
            Some(result) => results.push(result),
            None => done.push(call),
        }
    }
    let runs = world.runs();
    world.let_through(done.len());
    results.extend(soon(join_all(done)).await);
    assert_eq!(world.runs(), runs);
    assert_eq!(world.cache.stats().stored, 0, "an `Err` is never stored");
    (results, runs)
}

#[tokio::test]
async fn errors_that_can_be_cloned_are_shared() {
    #[derive(Clone, Debug, PartialEq)]
    struct Sad(usize);

    #[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
    async fn fails(world: Arc<World>) -> Result<usize, Sad> {
        Err(Sad(world.body().await))
    }

    let (results, runs) = fail(fails).await;
    assert_eq!(results, vec![Err(Sad(1)); 5]);
    assert_eq!(runs, 1);
}

#[tokio::test]
async fn errors_that_can_be_made_from_ours_carry_the_leaders_text() {
    #[derive(Debug)]
    enum Told {
        Own(usize),
        Cache(afresh::Error),
    }
    impl fmt::Display for Told {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Self::Own(run) => write!(f, "sad run {run}"),
                Self::Cache(error) => error.fmt(f),
            }
        }
    }
    impl From<afresh::Error> for Told {
        fn from(error: afresh::Error) -> Self {
            Self::Cache(error)
        }
    }

    #[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
    async fn fails(world: Arc<World>) -> Result<usize, Told> {
        Err(Told::Own(world.body().await))
    }

    let (mut results, runs) = fail(fails).await;
    assert_eq!(runs, 1);
    let leader = results.remove(0).expect_err("it failed");
    assert!(matches!(leader, Told::Own(1)), "untouched: {leader:?}");
    for result in results {
        let Err(Told::Cache(error)) = result else {
            panic!("a follower got {result:?}");
        };
        assert_eq!(error.kind(), afresh::ErrorKind::LeaderFailed);
        assert!(error.to_string().contains("sad run 1"), "{error}");
    }
}

#[tokio::test]
async fn errors_that_cannot_be_shared_are_everyones_own_and_all_at_once() {
    #[derive(Debug, PartialEq)]
    struct Own(usize);

    #[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
    async fn fails(world: Arc<World>) -> Result<usize, Own> {
        Err(Own(world.body().await))
    }

    let (results, runs) = fail(fails).await;
    assert_eq!(runs, 5, "four side by side after the leader");
    let mut own: Vec<_> = results
        .into_iter()
        .map(|r| r.expect_err("fails").0)
        .collect();
    own.sort_unstable();
    assert_eq!(own, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_leader_that_nobody_polls_holds_nobody_longer_than_wait() {
    #[cached(ttl = 60, key = "{id}", singleflight(lease = "1s", wait = "50ms"), cache = world.cache)]
    async fn value(world: Arc<World>, id: usize) -> usize {
        world.body().await
    }

    let world = World::new();
    let mut parked = Box::pin(value(world.clone(), 1));
    assert!(waits(&mut parked));
    // The parked one stands first at the gate.
    world.let_through(3);
    let others = soon(join_all([value(world.clone(), 1), value(world.clone(), 1)])).await;
    assert_eq!(others.iter().sum::<usize>(), 2 + 3, "each computed alone");
    assert_eq!(world.cache.stats().wait_timeouts, 2);
    drop(parked);
    assert!(soon(value(world.clone(), 1)).await > 1, "a hit");
    assert_eq!(world.runs(), 3);
}

#[tokio::test]
async fn a_body_that_calls_itself_does_not_wait_for_itself() {
    #[cached(ttl = 60, key = "{id}", singleflight, cache = world.cache)]
    async fn nested(world: Arc<World>, id: usize, depth: usize) -> usize {
        world.runs.fetch_add(1, Ordering::SeqCst);
        match depth {
            0 => 100,
            _ => Box::pin(nested(world, id, depth - 1)).await + 1,
        }
    }

    let world = World::new();
    assert_eq!(soon(nested(world.clone(), 1, 2)).await, 102);
    assert_eq!(world.runs(), 3);
    assert_eq!(world.cache.stats().wait_timeouts, 0);
}

#[cached(ttl = 60, key = "{id}", singleflight, cache = world.cache)]
async fn ping(world: Arc<World>, id: usize, depth: usize) -> usize {
    world.body().await;
    match depth {
        0 => 100,
        _ => pong(world, id, depth - 1).await + 1,
    }
}

#[cached(ttl = 60, key = "{id}", singleflight, cache = world.cache)]
async fn pong(world: Arc<World>, id: usize, depth: usize) -> usize {
    world.body().await;
    match depth {
        0 => 100,
        _ => Box::pin(async move { ping(world, id, depth - 1).await + 1 }).await,
    }
}

#[tokio::test]
async fn a_circle_in_one_task_is_computed_inline() {
    let world = World::new();
    world.let_through(9);
    assert_eq!(soon(ping(world.clone(), 1, 2)).await, 102);
    assert_eq!(world.runs(), 3);
    assert_eq!(world.cache.stats().wait_timeouts, 0);
}

#[tokio::test]
async fn a_circle_through_two_tasks_is_computed_inline() {
    let world = World::new();
    let mut ping = Box::pin(ping(world.clone(), 1, 1));
    let mut pong = Box::pin(pong(world.clone(), 1, 1));
    assert!(waits(&mut ping) && waits(&mut pong), "both lead");
    world.let_through(1);
    assert!(waits(&mut ping), "it follows the other");
    world.let_through(2);
    // The other would close the circle, so it computes; then the first gets what it waits for.
    let (ping, pong) = soon(async { tokio::join!(ping, pong) }).await;
    assert_eq!((ping, pong), (102, 101));
    assert_eq!(world.runs(), 3);
    assert_eq!(world.cache.stats().wait_timeouts, 0);
}

#[tokio::test]
async fn a_body_that_spawns_itself_is_held_no_longer_than_wait() {
    #[cached(ttl = 60, key = "{id}", singleflight(lease = "1s", wait = "50ms"), cache = world.cache)]
    async fn spawning(world: Arc<World>, id: usize, depth: usize) -> usize {
        world.runs.fetch_add(1, Ordering::SeqCst);
        match depth {
            0 => 100,
            _ => {
                tokio::spawn(again(world, id, depth - 1))
                    .await
                    .expect("no panic")
                    + 1
            }
        }
    }

    fn again(
        world: Arc<World>,
        id: usize,
        depth: usize,
    ) -> Pin<Box<dyn Future<Output = usize> + Send>> {
        Box::pin(spawning(world, id, depth))
    }

    let world = World::new();
    assert_eq!(soon(spawning(world.clone(), 1, 1)).await, 101);
    assert_eq!(world.cache.stats().wait_timeouts, 1);
}

#[test]
fn no_runtime_is_needed() {
    let world = World::new();
    let mut leader = Box::pin(value(world.clone(), 1));
    assert!(waits(&mut leader));
    let follower = std::thread::spawn({
        let world = world.clone();
        move || futures_executor(value(world, 1))
    });
    // It follows, or comes late and hits: the same value either way.
    world.let_through(1);
    assert_eq!(futures_executor(leader), 1);
    assert_eq!(follower.join().expect("no panic"), 1);
    assert_eq!(world.runs(), 1);
}

/// Drives a future on this thread, with no runtime.
fn futures_executor<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park_timeout(Duration::from_secs(30)),
        }
    }
}

#[tokio::test]
async fn an_infallible_result_shares_its_value() {
    #[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
    async fn sure(world: Arc<World>) -> Result<usize, Infallible> {
        Ok(world.body().await)
    }

    let world = World::new();
    let mut calls: Vec<_> = (0..2).map(|_| Box::pin(sure(world.clone()))).collect();
    assert!(calls.iter_mut().all(waits));
    world.let_through(1);
    assert_eq!(soon(join_all(calls)).await, [Ok(1), Ok(1)]);
}
