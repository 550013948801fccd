//! One of a worker's two caches, and all that is done with it: reads that are judged, and changes
//! that are published once they are acknowledged.

use std::sync::Arc;
use std::time::Duration;

use afresh::{Cache, Outcome, entry, outcome};
use afresh_test_support::Steer;
use tokio::time::timeout;

use crate::board::{Row, now};
use crate::items::{
    EVERYTHING, GROUPS, ITEMS, Source, change_group, change_item, group_of, items_of, plain, shelf,
    single, tag_of_group, tag_of_item,
};
use crate::judge::{Judge, Promise, Verdict, Wanted};
use crate::tally::{Figure, Tally};

/// A cache of one consistency.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) cache: Cache,
    pub(crate) promise: Promise,
    /// The column that this side's writer writes.
    pub(crate) column: usize,
    /// What an earlier process had acknowledged in this column.
    pub(crate) inherited: Vec<u64>,
    pub(crate) source: Arc<Source>,
    pub(crate) tally: Tally,
    pub(crate) steer: Arc<Steer>,
}

/// A way to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Single,
    Plain,
    Shelf,
    Peek,
    Refresh,
}

impl Side {
    /// One read by chance, judged.
    pub(crate) async fn read(&self) {
        let random = &self.source.random;
        let item = match random.below(3) {
            0 => self.source.board.recent(),
            // Some items are read more often than others: hits of every age are wanted.
            _ => random.below(ITEMS).min(random.below(ITEMS)),
        };
        let way = match random.below(100) {
            0..50 => Way::Single,
            50..85 => Way::Plain,
            85..95 => Way::Shelf,
            95..99 => Way::Peek,
            _ => Way::Refresh,
        };
        if random.one_in(100) {
            let soon = Duration::from_micros(random.below(3_000));
            if timeout(soon, self.look(way, item)).await.is_err() {
                self.tally.one(Figure::Dropped);
            }
        } else {
            self.look(way, item).await;
        }
    }

    /// One read of an item, judged by what is acknowledged. Whether all it returned was fresh.
    pub(crate) async fn look(&self, way: Way, item: u64) -> bool {
        let acknowledged = |item| self.source.board.acknowledged(item);
        self.look_for(way, item, acknowledged).await
    }

    /// One read of an item, judged by what is wanted.
    pub(crate) async fn look_for(&self, way: Way, item: u64, wanted: impl Fn(u64) -> Row) -> bool {
        let (cache, source) = (&self.cache, &*self.source);
        let group = group_of(item);
        let items: Vec<u64> = match way {
            Way::Shelf => items_of(group).collect(),
            _ => vec![item],
        };
        let wanted = items.into_iter().map(|item| Wanted {
            item,
            row: wanted(item),
        });
        let wanted: Vec<_> = wanted.collect();
        let began = now();
        let (rows, answered) = match way {
            Way::Single => one(outcome(single(cache, source, item)).await),
            Way::Plain => one(outcome(plain(cache, source, item)).await),
            Way::Shelf => outcome(shelf(cache, source, group)).await,
            Way::Peek => {
                let row = entry(single(cache, source, item)).peek().await;
                self.tally.one(Figure::Peeked);
                let Some(row) = row.expect("a cached call") else {
                    return true;
                };
                (vec![row], Outcome::Uncached)
            }
            Way::Refresh => (
                vec![entry(single(cache, source, item)).refresh().await],
                Outcome::Computed,
            ),
        };
        let times = (began, now());
        if answered != Outcome::Uncached {
            self.tally.read(answered);
        }
        assert_eq!(rows.len(), wanted.len(), "a row for each item");
        let judge = Judge {
            board: &source.board,
            promise: self.promise,
            own: self.column,
            inherited: &self.inherited,
        };
        let mut fresh = true;
        for (wanted, row) in wanted.iter().zip(&rows) {
            for at in 0..row.len() {
                match judge.column(wanted, row, at, began) {
                    Verdict::Fresh => {}
                    Verdict::Older(delay) => {
                        self.tally.one(Figure::Older);
                        self.tally.delay(delay);
                        fresh = false;
                    }
                    Verdict::Stale => {
                        let how = format!("{way:?}, {answered}");
                        let stale = judge.stale(wanted, row, at, how, times);
                        self.steer.say(format!("stale {stale}"));
                        fresh = false;
                        break;
                    }
                }
            }
        }
        fresh
    }

    /// One change by chance, and a look at what came of it.
    pub(crate) async fn write(&self) {
        self.change_by_chance().await;
        let way = match self.source.random.below(4) {
            0 | 1 => Way::Single,
            2 => Way::Plain,
            _ => return,
        };
        self.look(way, self.source.board.recent()).await;
    }

    async fn change_by_chance(&self) {
        let random = &self.source.random;
        let item = random.below(ITEMS);
        match random.below(100) {
            0..60 => {
                let call = change_item(&self.cache, &self.source.board, self.column, item);
                let number = call.await;
                self.publish(&[(item, number)], self.owes_nothing());
            }
            60..65 => {
                // As a client does that hangs up: the invalidation is made, but nobody is told.
                let call = change_item(&self.cache, &self.source.board, self.column, item);
                let soon = Duration::from_micros(random.below(1_000));
                match timeout(soon, call).await {
                    Ok(number) => self.publish(&[(item, number)], self.owes_nothing()),
                    Err(_) => self.publish(&[], false),
                }
            }
            65..78 => {
                let items = [item, random.below(ITEMS), random.below(ITEMS)];
                let numbers = items.map(|item| (item, self.change(item)));
                let done = self.cache.invalidate(items.map(tag_of_item)).await;
                self.publish(&numbers, done.is_ok());
            }
            78..83 => {
                let call =
                    change_group(&self.cache, &self.source.board, self.column, item % GROUPS);
                let numbers = call.await;
                self.publish(&numbers, self.owes_nothing());
            }
            83..88 => {
                let group = item % GROUPS;
                let numbers = items_of(group).map(|item| (item, self.change(item)));
                let numbers: Vec<_> = numbers.collect();
                let done = self.cache.invalidate([tag_of_group(group)]).await;
                self.publish(&numbers, done.is_ok());
            }
            88 => self.write_everything().await,
            89..93 => {
                let number = self.change(item);
                let done = self.invalidate_entries(item).await;
                self.publish(&[(item, number)], done.is_ok());
            }
            _ => self.put(item).await,
        }
    }

    async fn write_everything(&self) {
        let numbers: Vec<_> = (0..ITEMS).map(|item| (item, self.change(item))).collect();
        let done = match self.source.random.below(3) {
            0 => self.cache.invalidate([EVERYTHING]).await,
            1 => self.cache.invalidate_all().await,
            _ => self.invalidate_namespaces().await,
        };
        self.publish(&numbers, done.is_ok());
    }

    async fn invalidate_namespaces(&self) -> Result<(), afresh::Error> {
        for namespace in ["single", "plain", "shelf"] {
            self.cache.invalidate_namespace(namespace).await?;
        }
        Ok(())
    }

    /// Invalidates what holds an item entry by entry; the shelf last, since it is made of the others.
    async fn invalidate_entries(&self, item: u64) -> Result<(), afresh::Error> {
        let (cache, source) = (&self.cache, &*self.source);
        entry(single(cache, source, item)).invalidate().await?;
        entry(plain(cache, source, item)).invalidate().await?;
        entry(shelf(cache, source, group_of(item)))
            .invalidate()
            .await
    }

    /// Stores what was read by hand. The handle comes first: what is invalidated after it was made
    /// refuses the value.
    async fn put(&self, item: u64) {
        let handle = entry(single(&self.cache, &self.source, item));
        let row = self.source.board.truth(item);
        if self.source.random.one_in(2) {
            let pause = Duration::from_micros(self.source.random.below(5_000));
            tokio::time::sleep(pause).await;
        }
        self.tally.one(match handle.put(row).await {
            Ok(()) => Figure::Put,
            Err(_) => Figure::PutRefused,
        });
    }

    fn change(&self, item: u64) -> u64 {
        self.source.board.change(item, self.column)
    }

    /// Whether every invalidation of this cache so far has been acknowledged.
    pub(crate) fn owes_nothing(&self) -> bool {
        self.cache.stats().owed == 0
    }

    pub(crate) fn publish(&self, numbers: &[(u64, u64)], acknowledged: bool) {
        if !acknowledged {
            self.tally.one(Figure::Unacknowledged);
            return;
        }
        self.tally.one(Figure::Acknowledged);
        let at = now();
        for &(item, number) in numbers {
            self.source.board.acknowledge(item, self.column, number, at);
        }
    }

    /// Whether every change of this side's column has been acknowledged; where not, makes the
    /// invalidation that is missing: of a process that was killed before it could, say.
    pub(crate) async fn close(&self) -> bool {
        let board = &self.source.board;
        let numbers = (0..ITEMS).map(|item| (item, board.truth(item)[self.column]));
        let open = |&(item, number): &(u64, u64)| board.acknowledged(item)[self.column] < number;
        let open: Vec<_> = numbers.filter(open).collect();
        if open.is_empty() {
            return true;
        }
        let tags = open.iter().map(|&(item, _)| tag_of_item(item));
        let done = self.cache.invalidate(tags).await;
        self.publish(&open, done.is_ok());
        done.is_ok()
    }
}

fn one((row, answered): (Row, Outcome)) -> (Vec<Row>, Outcome) {
    (vec![row], answered)
}
