//! What is made of other cached values and has no tags of its own: whether it is outdated with them
//! is what the storm holds it to. Async functions; those made of sync ones are in `still`.

use std::sync::Arc;

use afresh::{Cache, cached, carry, entry};
use tokio::task::JoinSet;

use crate::board::Row;
use crate::items::{FIRST_LEAF, GROUPS, ITEMS, ROWS, Source, items_of, leaf, plain, single};

/// All items of a group, read in every way that a body may read.
#[cached(ttl = 60, key = "{group}", namespace = "bundle", cache = cache)]
pub(crate) async fn bundle(cache: &Cache, source: &Arc<Source>, group: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for item in items_of(group) {
        rows.push(inner(cache, source, item).await);
    }
    rows
}

/// Two groups: made of what is made of others.
#[cached(ttl = 60, key = "{group}", namespace = "tower", singleflight(lease = "1s", wait = "5s"), cache = cache)]
pub(crate) async fn tower(cache: &Cache, source: &Arc<Source>, group: u64) -> Vec<Row> {
    let (one, other) = tokio::join!(
        bundle(cache, source, group),
        bundle(cache, source, beside(group))
    );
    [one, other].concat()
}

/// The group that stands beside another in a tower.
pub(crate) const fn beside(group: u64) -> u64 {
    group ^ 1
}

/// All items: more tags than a value takes over, so that every invalidation outdates it.
#[cached(ttl = 60, namespace = "wide", skip(cache, source), singleflight(lease = "1s", wait = "5s"), cache = cache)]
pub(crate) async fn wide(cache: &Cache, source: &Arc<Source>) -> Vec<Row> {
    let mut groups = JoinSet::new();
    for group in 0..GROUPS {
        let (cache, source) = (cache.clone(), Arc::clone(source));
        let read = async move { (group, bundle(&cache, &source, group).await) };
        groups.spawn(carry(read));
    }
    let mut rows = vec![Row::new(); ITEMS as usize];
    for (group, of_group) in groups.join_all().await {
        for (item, row) in items_of(group).zip(of_group) {
            rows[item as usize] = row;
        }
    }
    rows
}

/// Made of what every invalidation outdates.
#[cached(ttl = 60, key = "{item}", namespace = "summit", cache = cache)]
pub(crate) async fn summit(cache: &Cache, source: &Arc<Source>, item: u64) -> Vec<Row> {
    let first = single(cache, source, item).await;
    let mut rows = wide(cache, source).await;
    rows.insert(0, first);
    rows
}

/// All leaves: more entries than a value takes over one by one, so that the invalidation of any
/// entry of their namespace outdates it.
#[cached(ttl = 60, namespace = "leaves", skip(cache, source), cache = cache)]
pub(crate) async fn leaves(cache: &Cache, source: &Source) -> Vec<Row> {
    let mut rows = Vec::new();
    for item in FIRST_LEAF..ROWS {
        rows.push(leaf(cache, source, item).await);
    }
    rows
}

/// An item, read here or by a task, or looked up without computing.
async fn inner(cache: &Cache, source: &Arc<Source>, item: u64) -> Row {
    let how = source.random.below(8);
    let (cache, source) = (cache.clone(), Arc::clone(source));
    let read = async move {
        let is_single = item < ITEMS / 2;
        if how == 0 {
            let found = if is_single {
                entry(single(&cache, &source, item)).peek().await
            } else {
                entry(plain(&cache, &source, item)).peek().await
            };
            if let Some(row) = found.expect("a cached call") {
                return row;
            }
        }
        if is_single {
            single(&cache, &source, item).await
        } else {
            plain(&cache, &source, item).await
        }
    };
    if how < 3 {
        let task = tokio::spawn(carry(read));
        return task.await.expect("a task that does not panic");
    }
    read.await
}
