//! A raw `quick_cache`: the least that a bounded concurrent map costs. No ttl, no tags, no flight.

use std::sync::Arc;

use afresh_measure::Book;
use quick_cache::sync::Cache;

pub(crate) fn filled(keys: i64) -> Cache<i64, Arc<Book>> {
    // Room for all of them in each shard, however they fall.
    let cache = Cache::new(usize::try_from(keys).expect("a number of keys") * 2);
    for id in 0..keys {
        cache.insert(id, Arc::new(Book::new(id)));
    }
    cache
}
