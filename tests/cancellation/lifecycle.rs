//! What is awaited around calls: making a cache, shutting one down, and what tests wait with. There
//! is no entry that it is about, so that each is looked at by itself.

use afresh::testing::{
    Left, OperationKind, Store, assert_outcome, idle, left, refreshed, with_cache,
};
use afresh::{Cache, Outcome};
use futures_util::FutureExt as _;

use crate::harness::{Boxed, End, Way, cancel_everywhere, drive, guard};
use crate::shop::{Source, by_default, flown, plain, stale_for};

/// What is to be dropped.
struct Made(Boxed<()>);

/// Drops what `make` returns everywhere; then `check`. Returns after how many polls at most.
async fn everywhere(mut make: impl AsyncFnMut() -> Made, mut check: impl AsyncFnMut(End)) -> usize {
    let tally = cancel_everywhere(async |cut| {
        let Made(future) = make().await;
        if cut.way == Way::Panicked {
            // None of this runs code of a user's.
            return End::Ended;
        }
        let end = drive(future, cut, |_| ()).await;
        check(end).await;
        end
    })
    .await;
    println!("{tally:?}");
    *tally.polls.last().expect("it was dropped")
}

/// A cache works: what it computes is stored, and nothing is under way.
async fn works(cache: &Cache) {
    let source = Source::new(Vec::new());
    let value = guard("a call", flown(cache, &source, 1)).await;
    assert_eq!(value, 1);
    let hit = guard("a hit", afresh::outcome(flown(cache, &source, 1))).await;
    assert!(matches!(hit, (1, Outcome::Hit(_))), "{hit:?}");
    is_empty(cache);
}

fn is_empty(cache: &Cache) {
    let mut left = left(cache);
    // Those of other tests.
    left.waits = 0;
    assert_eq!(left, Left::default());
}

#[tokio::test]
async fn a_shutdown_that_is_dropped_is_made_up_for_by_the_next() {
    let shop = std::cell::RefCell::new(Vec::new());
    let polls = everywhere(
        async || {
            let store = Store::new();
            let [one, two] = [store.cache(), store.cache()];
            store.take_turns();
            let source = Source::new(Vec::new());
            flown(&two, &source, 1).await;
            source.write();
            // An invalidation that is owed, and takes a while.
            assert!(one.invalidate(["item:1"]).now_or_never().is_none());
            shop.borrow_mut().push((one.clone(), two, source));
            Made(Box::pin(async move {
                one.shutdown().await.expect("in time");
            }))
        },
        async |_| {
            let (one, two, source) = shop.borrow_mut().pop().expect("made before");
            guard("another", one.shutdown()).await.expect("in time");
            assert_eq!((one.stats().owed, one.stats().invalidations), (0, 1));
            assert_eq!(guard("the other", flown(&two, &source, 1)).await, 2);
            assert_eq!(guard("after it", flown(&one, &source, 1)).await, 2);
            is_empty(&one);
        },
    )
    .await;
    assert!(polls >= 1, "it waits for what is owed");
}

#[tokio::test]
async fn who_follows_a_leader_that_is_dropped_on_its_way_into_the_store_has_its_value() {
    let mut brought = 0;
    cancel_everywhere(async |cut| {
        if cut.way == Way::Panicked {
            return End::Ended;
        }
        let store = Store::new();
        store.take_turns();
        let (cache, source) = (store.cache(), Source::new(Vec::new()));
        let call = || {
            let (cache, source) = (cache.clone(), source.clone());
            async move { flown(&cache, &source, 1).await }
        };
        let leader = call();
        let mut follower = None;
        let end = drive(Box::pin(leader.map(|_| ())), cut, |_| {
            if follower.is_none() && left(&cache).flights > 0 {
                follower = Some(tokio::spawn(call()));
            }
        })
        .await;
        let computed = source.ended();
        if let Some(follower) = follower {
            let value = guard("the follower", follower).await;
            assert_eq!(value.expect("it returns"), 1);
        }
        if let (End::Dropped(_), 1) = (end, computed) {
            assert_eq!(source.ended(), 1, "it was computed again");
            assert_eq!(cache.stats().coalesced, 1);
            brought += 1;
        }
        end
    })
    .await;
    assert!(brought > 2, "{brought} were dropped there");
}

#[tokio::test]
async fn a_scope_whose_future_is_dropped_is_left() {
    let tally = cancel_everywhere(async |cut| {
        let (outer, inner) = (Cache::in_memory(), Cache::in_memory());
        let source = Source::new(Vec::new());
        if cut.way == Way::Panicked {
            source.panics_at(cut.at);
        }
        let (cache, called) = (inner.clone(), source.clone());
        let scoped = Box::pin(async move {
            let call = async { by_default(&cache, &called, 1).await };
            with_cache(cache.clone(), call).await;
        });
        let end = with_cache(outer.clone(), async {
            let end = drive(scoped, cut, |_| ()).await;
            source.panics_at(0);
            by_default(&outer, &source, 2).await;
            end
        })
        .await;
        assert_eq!(outer.stats().computed, 1, "{cut:?}: it was made in another");
        let is_made = u64::from(end == End::Ended);
        assert_eq!(inner.stats().computed, is_made, "{cut:?}");
        end
    })
    .await;
    assert!(tally.panics >= 2 && tally.drops >= 8, "{tally:?}");
}

#[tokio::test]
async fn waiting_for_the_background_holds_nothing_up() {
    let shop = std::cell::RefCell::new(Vec::new());
    for what in ["idle", "refreshed", "assert_outcome"] {
        let polls = everywhere(
            async || {
                let cache = Cache::in_memory();
                let source = Source::new(vec![cache.clone()]);
                stale_for(&cache, &source, 1).await;
                source.passes(std::time::Duration::from_mins(61));
                if what != "assert_outcome" {
                    stale_for(&cache, &source, 1).await;
                    assert_eq!(left(&cache).background, 1);
                }
                shop.borrow_mut().push((cache.clone(), source.clone()));
                Made(match what {
                    "idle" => Box::pin(async move { idle(&cache).await }) as Boxed<()>,
                    "refreshed" => Box::pin(async move {
                        refreshed(stale_for(&cache, &source, 1)).await;
                    }),
                    _ => Box::pin(async move {
                        assert_outcome(flown(&cache, &source, 1), Outcome::Computed).await;
                    }),
                })
            },
            async |_| {
                let (cache, source) = shop.borrow_mut().pop().expect("made before");
                guard("another", idle(&cache)).await;
                works(&cache).await;
                assert_eq!(stale_for(&cache, &source, 1).await, 1);
                guard("another", idle(&cache)).await;
                assert_eq!(cache.stats().background, 0);
            },
        )
        .await;
        assert!(polls >= 1, "{what}");
    }
}

#[tokio::test]
async fn waiting_for_what_is_held_holds_nothing_up() {
    for count in [1, 2] {
        let polls = everywhere(
            async || {
                let store = Store::new();
                let held = store.hold(OperationKind::Get);
                let cache = store.cache();
                let source = Source::new(Vec::new());
                Made(Box::pin(async move {
                    let calls = async {
                        tokio::join!(flown(&cache, &source, 1), plain(&cache, &source, 1))
                    };
                    let reached = async {
                        match count {
                            1 => held.reached().await,
                            count => held.reached_by(count).await,
                        }
                        held.release();
                    };
                    // The calls come later.
                    let ((), values) = tokio::join!(reached, calls);
                    assert_eq!(values, (1, 1));
                    works(&cache).await;
                }))
            },
            async |_| (),
        )
        .await;
        assert!(polls >= 1, "{count}");
    }
}

#[cfg(feature = "redis")]
mod with_a_server {
    use afresh::Cache;
    use afresh_test_support::{PATIENCE, Server, until};

    use super::{Made, everywhere, works};
    use crate::harness::guard;

    /// What was being connected goes on or is gone: the server is left with none of it.
    #[tokio::test]
    async fn a_connect_that_is_dropped_leaves_no_connection() {
        let server = Server::start();
        let url = server.url();
        for how in ["connect", "build"] {
            let polls = everywhere(
                async || {
                    let url = url.clone();
                    if how == "connect" {
                        let connect = async move { Cache::connect(&url).await.map(drop) };
                        return Made(Box::pin(async move { connect.await.expect("a cache") }));
                    }
                    Made(Box::pin(async move {
                        let build = Cache::builder().url(url).connections(2).build();
                        drop(build.await.expect("a cache"));
                    }))
                },
                async |_| {
                    let clients = || {
                        let list = server.cli(&["CLIENT", "LIST"]);
                        list.lines().filter(|line| line.contains("id=")).count()
                    };
                    // The one that asks.
                    until("its connections are closed", async || clients() == 1).await;
                    let builder = Cache::builder().url(url.as_str()).prefix("next");
                    let builder = builder.op_timeout(PATIENCE);
                    let next = guard("the next", builder.build()).await.expect("a cache");
                    works(&next).await;
                    drop(next);
                    until("and those of the next", async || clients() == 1).await;
                },
            )
            .await;
            assert!(polls >= 1, "{how}");
        }
    }
}
