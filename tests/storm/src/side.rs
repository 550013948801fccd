//! One of a worker's two caches, and all that is done with it: reads that are judged, and changes
//! that are published once they are acknowledged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(feature = "sync")]
use afresh::entry_sync;
use afresh::{Cache, Outcome, entry, outcome};
use afresh_test_support::Steer;
#[cfg(feature = "sync")]
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::aged::{Broken, aging, frail, mosaic};
use crate::board::{Nanos, Row, now};
use crate::history::Answered;
use crate::items::{
    EVERYTHING, FIRST_LEAF, GROUPS, ITEMS, ROWS, Source, change_group, change_item, group_of,
    items_of, leaf, plain, shelf, single, tag_of_group, tag_of_item,
};
use crate::judge::{Judge, Promise, Verdict, Wanted};
use crate::nested::{bundle, leaves, summit, tower, wide};
#[cfg(feature = "sync")]
use crate::still::{block, change_item_still, mixed, rack, still, twin};
use crate::tally::{Figure, Tally};
use crate::way::Way;

/// A cache of one consistency.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) cache: Cache,
    pub(crate) promise: Promise,
    /// The column that this side's writer writes.
    pub(crate) column: usize,
    /// What an earlier process had acknowledged in this column.
    pub(crate) inherited: Vec<u64>,
    /// The newest numbers, by item, whose invalidation was not acknowledged and is owed.
    pub(crate) owed: Mutex<BTreeMap<u64, u64>>,
    pub(crate) source: Arc<Source>,
    pub(crate) tally: Tally,
    pub(crate) steer: Arc<Steer>,
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
        let way = Way::by_chance(random);
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
        let item = way.item(item);
        let wanted = way.items(item).into_iter().map(|item| Wanted {
            item,
            row: wanted(item),
        });
        let wanted: Vec<_> = wanted.collect();
        let began = now();
        let Some((rows, answered)) = self.ask(way, item).await else {
            return true;
        };
        let times = (began, now());
        assert_eq!(rows.len(), wanted.len(), "a row for each item");
        self.record(way, answered, times, &wanted, &rows);
        let judge = Judge {
            board: &self.source.board,
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

    fn record(
        &self,
        way: Way,
        answered: Outcome,
        (began, ended): (Nanos, Nanos),
        wanted: &[Wanted],
        rows: &[Row],
    ) {
        let answered = Answered {
            promise: self.promise,
            way: &format!("{way:?}"),
            how: &answered.to_string(),
            began,
            ended,
        };
        let rows = wanted.iter().map(|wanted| wanted.item).zip(rows);
        self.source.board.history.read(&answered, rows);
    }

    /// What a way returns, and how it was answered; `None` where it was looked up and not there.
    async fn ask(&self, way: Way, item: u64) -> Option<(Vec<Row>, Outcome)> {
        let (cache, source) = (&self.cache, &self.source);
        let group = group_of(item);
        let (rows, answered) = match way {
            Way::Single => one(outcome(single(cache, source, item)).await),
            Way::Plain => one(outcome(plain(cache, source, item)).await),
            Way::Leaf => one(outcome(leaf(cache, source, item)).await),
            Way::Shelf => outcome(shelf(cache, source, group)).await,
            Way::Bundle => outcome(bundle(cache, source, group)).await,
            Way::Tower => outcome(tower(cache, source, group)).await,
            Way::Wide => outcome(wide(cache, source)).await,
            Way::Summit => outcome(summit(cache, source, item)).await,
            Way::Leaves => outcome(leaves(cache, source)).await,
            Way::Aging => one(outcome(aging(cache, source, item)).await),
            Way::Frail => match outcome(frail(cache, source, item)).await {
                (Ok(row), answered) => (vec![row], answered),
                (Err(Broken), _) => return self.failed(),
            },
            Way::Mosaic => match outcome(mosaic(cache, source, group)).await {
                (Ok(rows), answered) => (rows, answered),
                (Err(Broken), _) => return self.failed(),
            },
            #[cfg(feature = "sync")]
            Way::Still => one(self
                .still(move |cache, source| still(cache, source, item))
                .await),
            #[cfg(feature = "sync")]
            Way::Twin => one(self
                .still(move |cache, source| twin(cache, source, item))
                .await),
            #[cfg(feature = "sync")]
            Way::Rack => {
                self.still(move |cache, source| rack(cache, source, group))
                    .await
            }
            #[cfg(feature = "sync")]
            Way::Mixed => outcome(mixed(cache, source, group)).await,
            Way::Peek => {
                let row = entry(single(cache, source, item)).peek().await;
                self.tally.one(Figure::Peeked);
                return Some((vec![row.expect("a cached call")?], Outcome::Uncached));
            }
            Way::Refresh => (
                vec![entry(single(cache, source, item)).refresh().await],
                Outcome::Computed,
            ),
        };
        self.count(way, answered);
        Some((rows, answered))
    }

    /// There is nothing to judge.
    fn failed<T>(&self) -> Option<T> {
        self.tally.one(Figure::Failed);
        None
    }

    /// Calls a sync function: on the worker of the runtime that this runs on, or on a thread that
    /// may be blocked.
    #[cfg(feature = "sync")]
    async fn still<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Cache, &Source) -> T + Send + 'static,
    ) -> (T, Outcome) {
        let (cache, source) = (self.cache.clone(), Arc::clone(&self.source));
        let call = outcome(async move { call(&cache, &source) });
        if self.source.random.one_in(4) {
            return call.await;
        }
        block(move || Handle::current().block_on(call)).await
    }

    fn count(&self, way: Way, answered: Outcome) {
        self.tally.read(answered);
        let is_hit = matches!(answered, Outcome::Hit(_));
        for (is_one, all, hits) in [
            (way.is_nested(), Figure::Nested, Figure::NestedHits),
            (way.is_wide(), Figure::Wide, Figure::WideHits),
            (way.is_sync(), Figure::Sync, Figure::SyncHits),
        ] {
            self.tally.add(all, u64::from(is_one));
            self.tally.add(hits, u64::from(is_one && is_hit));
        }
    }

    /// One change by chance, and a look at what came of it.
    pub(crate) async fn write(&self) {
        self.change_by_chance().await;
        if !self.source.random.one_in(4) {
            let way = Way::by_chance(&self.source.random);
            self.look(way, self.source.board.recent()).await;
        }
    }

    async fn change_by_chance(&self) {
        let random = &self.source.random;
        let item = random.below(ITEMS);
        match random.below(100) {
            #[cfg(feature = "sync")]
            0..15 => self.write_still(item).await,
            0..56 => {
                let call = change_item(&self.cache, &self.source.board, self.column, item);
                let number = call.await;
                self.publish(&[(item, number)], self.owes_nothing());
            }
            56..60 => self.abandon().await,
            60..73 => {
                let items = [item, random.below(ITEMS), random.below(ITEMS)];
                let numbers = items.map(|item| (item, self.change(item)));
                let done = self.cache.invalidate(items.map(tag_of_item)).await;
                self.publish(&numbers, done.is_ok());
            }
            73..78 => {
                let call =
                    change_group(&self.cache, &self.source.board, self.column, item % GROUPS);
                let numbers = call.await;
                self.publish(&numbers, self.owes_nothing());
            }
            78..83 => {
                let group = item % GROUPS;
                let numbers = items_of(group).map(|item| (item, self.change(item)));
                let numbers: Vec<_> = numbers.collect();
                let done = self.cache.invalidate([tag_of_group(group)]).await;
                self.publish(&numbers, done.is_ok());
            }
            83 => self.write_everything().await,
            84..89 => {
                let item = FIRST_LEAF + random.below(ROWS - FIRST_LEAF);
                self.write_leaf(item).await;
            }
            89..93 => {
                let number = self.change(item);
                let done = self.invalidate_entries(item).await;
                self.publish(&[(item, number)], done.is_ok());
            }
            _ => self.put(item).await,
        }
    }

    /// A change as a client makes it that hangs up: the invalidation is made, but nobody is told.
    pub(crate) async fn abandon(&self) {
        let random = &self.source.random;
        let item = random.below(ITEMS);
        let call = change_item(&self.cache, &self.source.board, self.column, item);
        let soon = Duration::from_micros(random.below(1_000));
        let is_told = timeout(soon, call).await.is_ok();
        let number = self.source.board.truth(item)[self.column];
        self.publish(&[(item, number)], is_told && self.owes_nothing());
    }

    /// A change that a sync function makes, on this worker of the runtime or on another thread.
    #[cfg(feature = "sync")]
    async fn write_still(&self, item: u64) {
        let (cache, source, column) = (self.cache.clone(), Arc::clone(&self.source), self.column);
        let call = move || change_item_still(&cache, &source.board, column, item);
        let number = if self.source.random.one_in(4) {
            call()
        } else {
            block(call).await
        };
        let acknowledged = self.owes_nothing();
        self.publish(&[(item, number)], acknowledged);
        let count = u64::from(acknowledged);
        self.tally.add(Figure::AcknowledgedSync, count);
    }

    async fn write_leaf(&self, item: u64) {
        let number = self.change(item);
        let call = leaf(&self.cache, &self.source, item);
        let done = entry(call).invalidate().await;
        self.publish(&[(item, number)], done.is_ok());
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
        // What is made of these goes with them.
        let mut done = Ok(());
        for namespace in ["single", "plain", "shelf", "still", "aging", "frail"] {
            done = done.and(self.cache.invalidate_namespace(namespace).await);
        }
        done
    }

    /// Invalidates what holds an item entry by entry; the shelf last, since it is made of the others.
    async fn invalidate_entries(&self, item: u64) -> Result<(), afresh::Error> {
        let (cache, source) = (&self.cache, &*self.source);
        let mut done = entry(single(cache, source, item)).invalidate().await;
        done = done.and(entry(plain(cache, source, item)).invalidate().await);
        done = done.and(entry(aging(cache, &self.source, item)).invalidate().await);
        done = done.and(entry(frail(cache, &self.source, item)).invalidate().await);
        #[cfg(feature = "sync")]
        {
            let (cache, source) = (cache.clone(), Arc::clone(&self.source));
            let call = move || entry_sync(|| still(&cache, &source, item)).invalidate();
            done = done.and(block(call).await);
        }
        let call = shelf(cache, source, group_of(item));
        done.and(entry(call).invalidate().await)
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
        let mut owed = self.owed();
        if !acknowledged {
            self.tally.one(Figure::Unacknowledged);
            return owed.extend(numbers.iter().copied());
        }
        self.tally.one(Figure::Acknowledged);
        self.acknowledge(numbers, now());
    }

    /// Publishes what was owed, once nothing is. To be called often: what is published late is
    /// judged late.
    pub(crate) fn settle(&self) {
        let mut owed = self.owed();
        if owed.is_empty() || !self.owes_nothing() {
            return;
        }
        let at = now();
        let mut numbers: Vec<_> = std::mem::take(&mut *owed).into_iter().collect();
        // Unless a later invalidation of the item was acknowledged.
        numbers
            .retain(|&(item, number)| self.source.board.acknowledged(item)[self.column] < number);
        self.tally.add(Figure::Settled, numbers.len() as u64);
        self.acknowledge(&numbers, at);
    }

    fn acknowledge(&self, numbers: &[(u64, u64)], at: Nanos) {
        let board = &self.source.board;
        board.history.acknowledge(self.column, numbers, at);
        for &(item, number) in numbers {
            board.acknowledge(item, self.column, number, at);
        }
    }

    /// Held while the column is published: by one task at a time.
    fn owed(&self) -> MutexGuard<'_, BTreeMap<u64, u64>> {
        // Each change is one step.
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every change of this side's column has been acknowledged; where not, makes the
    /// invalidation that is missing: of a process that was killed before it could, say.
    pub(crate) async fn close(&self) -> bool {
        self.settle();
        let board = &self.source.board;
        let numbers = (0..ROWS).map(|item| (item, board.truth(item)[self.column]));
        let open = |&(item, number): &(u64, u64)| board.acknowledged(item)[self.column] < number;
        let open: Vec<_> = numbers.filter(open).collect();
        if open.is_empty() {
            return true;
        }
        let is_item = |item: &u64| *item < FIRST_LEAF;
        let items = open.iter().map(|&(item, _)| item).filter(is_item);
        let mut done = self.cache.invalidate(items.map(tag_of_item)).await;
        if open.iter().any(|(item, _)| !is_item(item)) {
            done = done.and(self.cache.invalidate_namespace("leaf").await);
        }
        self.publish(&open, done.is_ok());
        done.is_ok()
    }
}

fn one((row, answered): (Row, Outcome)) -> (Vec<Row>, Outcome) {
    (vec![row], answered)
}
