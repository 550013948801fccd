//! One step of a task, by chance: mostly a call, sometimes a change, a call that is dropped, or
//! something done to one entry. It counts what it does; it judges only that a value is the one that
//! was asked for.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use afresh::{Cache, entry};

use crate::chance::Chance;
#[cfg(feature = "sync")]
use crate::items::still;
use crate::items::{Item, aging, bundle, change, change_safely, frail, handed, plain, single};
use crate::world::{World, add};

/// Where a task is at work.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) cache: Cache,
    pub(crate) world: Arc<World>,
    pub(crate) chance: Chance,
}

impl Place {
    /// One step. What it is, in parts of a hundred thousand.
    pub(crate) async fn step(&mut self) {
        let key = self.chance.key(self.world.keys);
        self.world.meet(key);
        let counts = &self.world.counts;
        match self.chance.below(100_000) {
            0..100 => self.invalidate(key).await,
            100..110 => {
                add(&counts.safely, 1);
                add(&counts.invalidated, 1);
                let done = change_safely(&self.cache, self.tag(key)).await;
                self.told(&done);
            }
            110..160 => self.drop_calls().await,
            160..170 => {
                add(&counts.invalidated, 1);
                once(change_safely(&self.cache, self.tag(key))).await;
            }
            170..220 => {
                add(&counts.put, 1);
                let handle = entry(single(&self.cache, &self.world, key));
                // Refused where an invalidation came in between, which is as it should be.
                let _ = handle.put(Ok(Item::new(key))).await;
            }
            220..270 => {
                add(&counts.refreshed, 1);
                let done = entry(single(&self.cache, &self.world, key)).refresh().await;
                self.told(&done);
                self.asked(1);
            }
            270..320 => {
                let found = entry(single(&self.cache, &self.world, key)).peek().await;
                if let Ok(Some(Ok(item))) = found {
                    assert!(item.is(key), "{item:?} at {key}");
                }
            }
            _ => self.call(key).await,
        }
    }

    async fn call(&mut self, key: u64) {
        let (cache, world) = (&self.cache, &self.world);
        let is_right = match self.chance.below(100) {
            0..30 => self.found(key, single(cache, world, key).await),
            30..50 => plain(cache, world, key).await.0 == key,
            50..70 => handed(cache, world, key).await.is(key),
            #[cfg(feature = "sync")]
            70..85 => self.found(key, still(cache, world, key)),
            85..93 => self.found(key, aging(cache, world, key).await),
            93..98 => self.found(key, frail(cache, world, key).await),
            _ => {
                let items = bundle(cache, world, key).await;
                self.told(&items);
                items.map_or(true, |items| items[0].is(key) && items[1].is(key / 2))
            }
        };
        assert!(is_right, "another value than that of {key}");
        self.asked(1);
    }

    /// An invalidation, in one of the ways that there are.
    async fn invalidate(&mut self, key: u64) {
        add(&self.world.counts.invalidated, 1);
        let tag = self.tag(key);
        match self.chance.below(100) {
            0..50 => {
                let done = change(&self.cache, tag).await;
                self.told(&done);
            }
            50..90 => {
                let done = self.cache.invalidate([World::tag(tag)]).await;
                self.told(&done);
            }
            90..98 => {
                let call = single(&self.cache, &self.world, key);
                let done = entry(call).invalidate().await;
                self.told(&done);
            }
            _ => {
                let done = self.cache.invalidate([World::group(key)]).await;
                self.told(&done);
            }
        }
    }

    /// Calls that are dropped after one poll: a leader, with or without one who follows it and takes
    /// its place; and a follower.
    async fn drop_calls(&mut self) {
        let key = self.world.waiting(self.chance.below(u64::MAX));
        let (cache, world) = (&self.cache, &self.world);
        let dropped = match self.chance.below(4) {
            0 => {
                once(aging(cache, world, key)).await;
                1
            }
            1 => {
                let follower = {
                    let mut leader = pin!(single(cache, world, key));
                    poll_fn(|cx| Poll::Ready(leader.as_mut().poll(cx).is_ready())).await
                };
                if !follower {
                    let done = single(cache, world, key).await;
                    self.told(&done);
                    self.asked(1);
                }
                1
            }
            2 => {
                let mut leader = pin!(single(cache, world, key));
                let ended = poll_fn(|cx| Poll::Ready(leader.as_mut().poll(cx).is_ready())).await;
                once(single(cache, world, key)).await;
                if !ended {
                    let done = leader.await;
                    self.told(&done);
                }
                self.asked(1);
                1
            }
            _ => {
                once(bundle(cache, world, key)).await;
                // The calls inside it may have ended, or not.
                3
            }
        };
        add(&self.world.counts.dropped, dropped);
    }

    fn tag(&self, key: u64) -> u64 {
        key % self.world.tags
    }

    fn asked(&self, calls: u64) {
        add(&self.world.counts.asked, calls);
    }

    fn told<T, E>(&self, done: &Result<T, E>) {
        add(&self.world.counts.errors, u64::from(done.is_err()));
    }

    /// Whether it is what was asked for, where it is something at all.
    fn found<E>(&self, key: u64, found: Result<Item, E>) -> bool {
        self.told(&found);
        found.map_or(true, |item| item.is(key))
    }
}

/// Polls a call once, and drops it.
async fn once<F: Future>(call: F) {
    let mut call = pin!(call);
    poll_fn(|cx| {
        let _ = call.as_mut().poll(cx);
        Poll::Ready(())
    })
    .await;
}
