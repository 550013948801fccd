//! What is cached, and how it is invalidated: items in groups, read in several ways. All of it is
//! what a user would write; nothing here judges what comes back.

use std::time::Duration;

use afresh::{Cache, cached, invalidates};
use tokio::time::sleep;

use crate::board::{Board, Row};
use crate::random::Random;

pub(crate) const ITEMS: u64 = 64;
pub(crate) const GROUPS: u64 = 8;
/// Beside the items there are leaves, which have no tags: they are invalidated entry by entry.
pub(crate) const FIRST_LEAF: u64 = ITEMS;
/// More leaves than a value takes over entries.
const LEAVES: u64 = 70;
/// All of which the truth is kept.
pub(crate) const ROWS: u64 = ITEMS + LEAVES;

/// Everything a body needs.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) board: Board,
    pub(crate) random: Random,
    pub(crate) computes: std::sync::atomic::AtomicU64,
}

impl Source {
    /// Reads the truth, and takes a while to return it: what comes in between must not be missed.
    pub(crate) async fn read(&self, item: u64) -> Row {
        self.computes
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if self.random.one_in(8) {
            self.dawdle().await;
        }
        let row = self.board.truth(item);
        if self.random.one_in(3) {
            self.dawdle().await;
        }
        row
    }

    /// The same, on a thread that waits.
    #[cfg(feature = "sync")]
    pub(crate) fn read_still(&self, item: u64) -> Row {
        self.computes
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if self.random.one_in(8) {
            std::thread::sleep(self.pause());
        }
        let row = self.board.truth(item);
        if self.random.one_in(3) {
            std::thread::sleep(self.pause());
        }
        row
    }

    async fn dawdle(&self) {
        sleep(self.pause()).await;
    }

    fn pause(&self) -> Duration {
        Duration::from_micros(if self.random.one_in(60) {
            self.random.below(200_000)
        } else {
            self.random.below(3_000)
        })
    }
}

pub(crate) fn group_of(item: u64) -> u64 {
    item % GROUPS
}

pub(crate) fn items_of(group: u64) -> impl Iterator<Item = u64> {
    (0..ITEMS).filter(move |item| group_of(*item) == group)
}

pub(crate) fn tag_of_item(item: u64) -> String {
    format!("item:{item}")
}

pub(crate) fn tag_of_group(group: u64) -> String {
    format!("group:{group}")
}

pub(crate) const EVERYTHING: &str = "everything";

pub(crate) fn tags_of_item(item: u64) -> [String; 3] {
    [
        EVERYTHING.to_owned(),
        tag_of_group(group_of(item)),
        tag_of_item(item),
    ]
}

fn tags_of_group(group: u64) -> Vec<String> {
    items_of(group).flat_map(tags_of_item).collect()
}

/// An item, computed once at a time.
#[cached(ttl = 60, key = "{item}", namespace = "single", tags = tags_of_item(item), singleflight(lease = "1s", wait = "5s"), cache = cache)]
pub(crate) async fn single(cache: &Cache, source: &Source, item: u64) -> Row {
    source.read(item).await
}

/// An item, computed by whoever misses it.
#[cached(ttl = 60, key = "{item}", namespace = "plain", tags = tags_of_item(item), cache = cache)]
pub(crate) async fn plain(cache: &Cache, source: &Source, item: u64) -> Row {
    source.read(item).await
}

/// All items of a group, read through the cache.
#[cached(ttl = 60, key = "{group}", namespace = "shelf", tags = tags_of_group(group), singleflight(lease = "1s", wait = "5s"), cache = cache)]
pub(crate) async fn shelf(cache: &Cache, source: &Source, group: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for item in items_of(group) {
        rows.push(if item < ITEMS / 2 {
            single(cache, source, item).await
        } else {
            plain(cache, source, item).await
        });
    }
    rows
}

/// What is invalidated by its entry alone.
#[cached(ttl = 60, key = "{item}", namespace = "leaf", cache = cache)]
pub(crate) async fn leaf(cache: &Cache, source: &Source, item: u64) -> Row {
    source.read(item).await
}

/// A change of one item, as a user writes it. Returns its number.
#[invalidates(tags = [tag_of_item(item)], cache = cache)]
pub(crate) async fn change_item(cache: &Cache, board: &Board, column: usize, item: u64) -> u64 {
    board.change(item, column)
}

/// A change of a whole group. Returns the items' numbers.
#[invalidates(tags = [tag_of_group(group)], cache = cache)]
pub(crate) async fn change_group(
    cache: &Cache,
    board: &Board,
    column: usize,
    group: u64,
) -> Vec<(u64, u64)> {
    items_of(group)
        .map(|item| (item, board.change(item, column)))
        .collect()
}
