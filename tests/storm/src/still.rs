//! Sync functions that are cached or invalidate, and what is made of them. With them in the program
//! the connection is kept on a thread of its own; without them, on the worker's runtime.

use std::sync::Arc;

use afresh::{Cache, cached, carry_sync, invalidates};
use tokio::task::spawn_blocking;

use crate::board::{Board, Row};
use crate::items::{ITEMS, Source, items_of, tag_of_item, tags_of_item};

/// An item, computed once at a time.
#[cached(ttl = 60, key = "{item}", namespace = "still", tags = tags_of_item(item), singleflight(lease = "1s", wait = "5s"), cache = cache)]
pub(crate) fn still(cache: &Cache, source: &Source, item: u64) -> Row {
    source.read_still(item)
}

/// An item, computed by whoever misses it; its entries are those of the async `plain`.
#[cached(ttl = 60, key = "{item}", namespace = "plain", tags = tags_of_item(item), cache = cache)]
pub(crate) fn twin(cache: &Cache, source: &Source, item: u64) -> Row {
    source.read_still(item)
}

/// All items of a group, with no tags of its own.
#[cached(ttl = 60, key = "{group}", namespace = "rack", singleflight(lease = "1s", wait = "5s"), cache = cache)]
pub(crate) fn rack(cache: &Cache, source: &Source, group: u64) -> Vec<Row> {
    items_of(group)
        .map(|item| inner(cache, source, item))
        .collect()
}

/// All items of a group, with no tags of its own: an async function made of sync ones.
#[cached(ttl = 60, key = "{group}", namespace = "mixed", cache = cache)]
pub(crate) async fn mixed(cache: &Cache, source: &Arc<Source>, group: u64) -> Vec<Row> {
    if source.random.one_in(3) {
        let (cache, source) = (cache.clone(), Arc::clone(source));
        return block(carry_sync(move || rack(&cache, &source, group))).await;
    }
    let mut rows = Vec::new();
    for item in items_of(group) {
        rows.push(if source.random.one_in(3) {
            let (cache, source) = (cache.clone(), Arc::clone(source));
            block(carry_sync(move || inner(&cache, &source, item))).await
        } else {
            inner(cache, source, item)
        });
    }
    rows
}

/// A change of one item. Returns its number.
#[invalidates(tags = [tag_of_item(item)], cache = cache)]
pub(crate) fn change_item_still(cache: &Cache, board: &Board, column: usize, item: u64) -> u64 {
    board.change(item, column)
}

fn inner(cache: &Cache, source: &Source, item: u64) -> Row {
    if item < ITEMS / 2 {
        still(cache, source, item)
    } else {
        twin(cache, source, item)
    }
}

/// Runs something on a thread that may be blocked.
pub(crate) async fn block<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = spawn_blocking(run);
    thread.await.expect("a thread that does not panic")
}
