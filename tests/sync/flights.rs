//! One compute per key among threads: what followers get of a leader that ends well, badly, in a
//! panic, or not in time; and that threads that would wait for each other do not.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::thread;

use afresh::{Outcome, cached, carry_sync, outcome};
use afresh_test_support::PATIENCE;

use crate::world::{Caller, World, await_waiting, block_on};

#[cached(ttl = 60, key = "{id}", singleflight, cache = world.cache)]
fn value(world: &World, id: usize) -> usize {
    world.body() + id
}

fn caller<T: Send + 'static>(world: &Arc<World>, call: fn(&World) -> T) -> Caller<T> {
    let world = Arc::clone(world);
    Caller::start(move || call(&world))
}

/// One that leads, and some that wait for it.
fn start<T: Send + 'static>(
    world: &Arc<World>,
    followers: usize,
    call: fn(&World) -> T,
) -> (Caller<T>, Vec<Caller<T>>) {
    let leader = caller(world, call);
    world.await_runs(1);
    let followers: Vec<_> = (0..followers).map(|_| caller(world, call)).collect();
    await_waiting(&followers);
    assert_eq!(world.runs(), 1);
    (leader, followers)
}

fn values<T: Send + 'static>(callers: Vec<Caller<T>>) -> Vec<T> {
    callers.into_iter().map(Caller::value).collect()
}

#[test]
fn many_threads_share_one_compute() {
    let world = crate::in_memory();
    let (leader, followers) = start(&world, 30, |world| value(world, 0));
    world.gate.open(31);
    assert_eq!(leader.value(), 1);
    assert_eq!(values(followers), [1; 30]);
    let stats = world.cache.stats();
    assert_eq!((world.runs(), stats.coalesced), (1, 30));
}

#[test]
fn other_keys_do_not_wait() {
    let world = crate::in_memory();
    let callers: Vec<_> = (0..8)
        .map(|id| {
            let world = Arc::clone(&world);
            Caller::start(move || value(&world, id))
        })
        .collect();
    world.await_runs(8);
    world.gate.open(8);
    assert_eq!(values(callers).len(), 8);
}

#[test]
fn without_singleflight_everyone_computes() {
    #[cached(ttl = 60, key = (), cache = world.cache)]
    fn alone(world: &World) -> usize {
        world.body()
    }

    let world = crate::in_memory();
    let callers: Vec<_> = (0..3).map(|_| caller(&world, alone)).collect();
    world.await_runs(3);
    world.gate.open(3);
    values(callers);
    assert_eq!(world.cache.stats().coalesced, 0);
}

#[test]
fn a_leader_that_panics_is_replaced() {
    #[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
    fn value(world: &World) -> usize {
        let run = world.body();
        assert!(run > 1, "the first one");
        run
    }

    let world = crate::in_memory();
    let (leader, followers) = start(&world, 3, value);
    world.gate.open(1);
    let panic = leader.outcome().expect_err("its own");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the first one"));
    world.await_runs(2);
    await_waiting(&followers);
    world.gate.open(1);
    assert_eq!(values(followers), [2; 3]);
    assert_eq!(world.runs(), 2, "exactly one more compute");
    assert_eq!(value(&world), 2, "stored");
}

/// Five threads, a body that fails: what the leader and the others got, and how many bodies ran.
fn fail<E: Send + 'static>(
    runs: usize,
    call: fn(&World) -> Result<usize, E>,
) -> (E, Vec<Result<usize, E>>) {
    let world = crate::in_memory();
    let (leader, followers) = start(&world, 4, call);
    world.gate.open(1);
    let leaders = leader.value().expect_err("it failed");
    // Those who must compute for themselves do so side by side: they all begin before any ends.
    world.await_runs(runs);
    world.gate.open(runs - 1);
    let results = values(followers);
    let stats = world.cache.stats();
    assert_eq!(
        (world.runs(), stats.stored, stats.failed),
        (runs, 0, runs as u64)
    );
    (leaders, results)
}

#[test]
fn errors_that_can_be_cloned_are_shared() {
    #[derive(Clone, Debug, PartialEq)]
    struct Sad(usize);

    #[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
    fn fails(world: &World) -> Result<usize, Sad> {
        Err(Sad(world.body()))
    }

    assert_eq!(fail(1, fails), (Sad(1), vec![Err(Sad(1)); 4]));
}

#[test]
fn errors_that_can_be_made_from_ours_carry_the_leaders_text() {
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
    fn fails(world: &World) -> Result<usize, Told> {
        Err(Told::Own(world.body()))
    }

    let (leaders, results) = fail(1, fails);
    assert!(matches!(leaders, Told::Own(1)), "untouched: {leaders:?}");
    for result in results {
        let Err(Told::Cache(error)) = result else {
            panic!("a follower got {result:?}");
        };
        assert_eq!(error.kind(), afresh::ErrorKind::LeaderFailed);
        assert!(error.to_string().contains("sad run 1"), "{error}");
    }
}

#[test]
fn errors_that_cannot_be_shared_are_everyones_own_and_all_at_once() {
    #[derive(Debug, PartialEq)]
    struct Own(usize);

    #[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
    fn fails(world: &World) -> Result<usize, Own> {
        Err(Own(world.body()))
    }

    let (leaders, results) = fail(5, fails);
    assert_eq!(leaders, Own(1));
    let mut own: Vec<_> = results
        .into_iter()
        .map(|result| result.expect_err("it fails").0)
        .collect();
    own.sort_unstable();
    assert_eq!(own, [2, 3, 4, 5]);
}

#[test]
fn an_infallible_result_is_shared() {
    #[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
    fn sure(world: &World) -> Result<usize, Infallible> {
        Ok(world.body())
    }

    let world = crate::in_memory();
    let (leader, followers) = start(&world, 1, sure);
    world.gate.open(1);
    assert_eq!((leader.value(), values(followers)), (Ok(1), vec![Ok(1)]));
}

#[test]
fn a_leader_that_takes_too_long_holds_nobody_longer_than_wait() {
    #[cached(ttl = 60, key = (), singleflight(lease = "1s", wait = "50ms"), cache = world.cache)]
    fn value(world: &World) -> usize {
        match world.run() {
            1 => {
                world.gate.pass();
                1
            }
            run => run,
        }
    }

    let world = crate::in_memory();
    let leader = caller(&world, value);
    world.await_runs(1);
    let mut others = values(vec![caller(&world, value), caller(&world, value)]);
    others.sort_unstable();
    // The second one may have come when the first had stored its value.
    assert!(others == [2, 3] || others == [2, 2], "{others:?}");
    assert!((1..=2).contains(&world.cache.stats().wait_timeouts));
    world.gate.open(1);
    assert_eq!(leader.value(), 1, "its own");
}

/// What follows is dropped by an async caller that gives up on the thread: the thread goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_gives_up_on_its_thread_leaves_the_compute_to_it() {
    let world = crate::in_memory();
    let inside = Arc::clone(&world);
    let abandoned = tokio::task::spawn_blocking(move || value(&inside, 0));
    world.await_runs(1);
    drop(abandoned);
    world.gate.open(1);
    let (value, came) = outcome(async { value(&world, 0) }).await;
    assert_eq!((value, world.runs()), (1, 1));
    assert_ne!(came, Outcome::Computed);
}

#[test]
fn a_body_that_calls_itself_does_not_wait_for_itself() {
    #[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
    fn nested(world: &World, depth: usize) -> usize {
        world.run();
        match depth {
            0 => 100,
            _ => nested(world, depth - 1) + 1,
        }
    }

    let world = crate::in_memory();
    assert_eq!(nested(&world, 2), 102);
    assert_eq!(world.runs(), 3);
    assert_eq!(world.cache.stats().wait_timeouts, 0);
}

/// On another thread, the body's own flight is not known: the bound on the wait ends it. Where it
/// is carried along it is, and there is no wait.
#[test]
fn a_body_that_calls_itself_on_another_thread_ends() {
    #[cached(ttl = 60, key = (), singleflight(lease = "1s", wait = "50ms"), cache = world.cache)]
    fn nested(world: &Arc<World>, carries: bool, depth: usize) -> usize {
        world.run();
        if depth == 0 {
            return 100;
        }
        let inside = Arc::clone(world);
        let call = move || nested(&inside, carries, depth - 1);
        let inner = if carries {
            thread::spawn(carry_sync(call)).join()
        } else {
            thread::spawn(call).join()
        };
        inner.expect("no panic") + 1
    }

    for (carries, timeouts) in [(false, 1), (true, 0)] {
        let world = crate::in_memory();
        let inside = Arc::clone(&world);
        let call = Caller::start(move || nested(&inside, carries, 1));
        assert_eq!(call.value(), 101);
        assert_eq!(world.runs(), 2);
        assert_eq!(world.cache.stats().wait_timeouts, timeouts);
    }
}

#[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
fn ping(world: &World, depth: usize) -> usize {
    world.body();
    match depth {
        0 => 100,
        _ => pong(world, depth - 1) + 1,
    }
}

#[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
fn pong(world: &World, depth: usize) -> usize {
    world.body();
    match depth {
        0 => 100,
        _ => ping(world, depth - 1) + 1,
    }
}

#[test]
fn a_circle_in_one_thread_is_computed_inline() {
    let world = crate::in_memory();
    world.gate.open(9);
    assert_eq!(ping(&world, 2), 102);
    assert_eq!(world.runs(), 3);
}

#[test]
fn a_circle_through_two_threads_is_computed_inline() {
    let world = crate::in_memory();
    let ping = caller(&world, |world| ping(world, 1));
    world.await_runs(1);
    let pong = caller(&world, |world| pong(world, 1));
    world.await_runs(2);
    // Both lead. Whoever is let through first waits for the other, who then would close the
    // circle, so it computes; then the first gets what it waits for.
    world.gate.open(3);
    let (ping, pong) = (ping.value(), pong.value());
    assert!(
        [(102, 101), (101, 102)].contains(&(ping, pong)),
        "{ping} {pong}"
    );
    assert_eq!(world.runs(), 3);
    assert_eq!(world.cache.stats().wait_timeouts, 0);
}

#[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
async fn ping_async(world: &World, depth: usize) -> usize {
    world.body();
    match depth {
        0 => 100,
        _ => pong_sync(world, depth - 1) + 1,
    }
}

#[cached(ttl = 60, key = (), singleflight, cache = world.cache)]
fn pong_sync(world: &World, depth: usize) -> usize {
    world.body();
    match depth {
        0 => 100,
        _ => block_on(ping_async(world, depth - 1)) + 1,
    }
}

#[test]
fn a_circle_of_both_kinds_is_computed_inline() {
    let world = crate::in_memory();
    let ping = caller(&world, |world| block_on(ping_async(world, 1)));
    world.await_runs(1);
    let pong = caller(&world, |world| pong_sync(world, 1));
    world.await_runs(2);
    world.gate.open(3);
    let (ping, pong) = (ping.value(), pong.value());
    assert!(
        [(102, 101), (101, 102)].contains(&(ping, pong)),
        "{ping} {pong}"
    );
    assert_eq!(world.cache.stats().wait_timeouts, 0);
}

/// Sync and async callers never share a flight: neither would be there to be woken.
#[tokio::test]
async fn async_callers_do_not_wait_for_sync_ones() {
    #[cached(ttl = 60, key = (), singleflight, namespace = "both", cache = world.cache)]
    async fn asynchronous(world: &World) -> usize {
        world.run() * 10
    }

    #[cached(ttl = 60, key = (), singleflight, namespace = "both", cache = world.cache)]
    fn plain(world: &World) -> usize {
        world.body()
    }

    let world = crate::in_memory();
    let call = caller(&world, plain);
    world.await_runs(1);
    let waited = tokio::time::timeout(PATIENCE, outcome(asynchronous(&world))).await;
    assert_eq!(waited.expect("it hangs"), (20, Outcome::Computed));
    world.gate.open(1);
    assert_eq!(call.value(), 1);
}
