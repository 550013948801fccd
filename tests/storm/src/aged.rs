//! Items under a policy: served past their ttl, computed in the background, timed out, failing. What
//! was invalidated must not be served all the same, and so it is judged like everything else.

use std::sync::Arc;
use std::time::Duration;

use afresh::{Background, Cache, Error, Limited, Policy, cached};

use crate::board::Row;
use crate::items::{ITEMS, Source, items_of, tags_of_item};

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Nearly always due or past its ttl, and computed in the background.
const AGING: Policy<Background> = Policy::new()
    .stale_for(millis(10_000))
    .refresh_ahead(0.5)
    .jitter(0.2)
    .backoff(millis(1), millis(20));

/// Nearly always past its ttl, often failing, and often too slow.
const FRAIL: Policy<Background, Limited> = Policy::new()
    .stale_if_error(millis(10_000))
    .soft_timeout(millis(1))
    .hard_timeout(millis(30))
    .backoff(millis(5), millis(50));

/// Why there is no item.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broken;

impl From<Error> for Broken {
    fn from(_: Error) -> Self {
        Self
    }
}

/// An item, served while a new one is computed.
#[cached(ttl = "30ms", key = "{item}", namespace = "aging", tags = tags_of_item(item), policy = AGING, cache = cache)]
pub(crate) async fn aging(cache: &Cache, source: &Arc<Source>, item: u64) -> Row {
    source.read(item).await
}

/// An item, served where computing a new one fails or takes too long.
#[cached(ttl = "30ms", key = "{item}", namespace = "frail", tags = tags_of_item(item), policy = FRAIL, singleflight(lease = "1s", wait = "5s"), cache = cache)]
pub(crate) async fn frail(cache: &Cache, source: &Arc<Source>, item: u64) -> Result<Row, Broken> {
    let row = source.read(item).await;
    if source.random.one_in(4) {
        return Err(Broken);
    }
    Ok(row)
}

/// All items of a group, with no tags of its own: made of what may be past its ttl, and served past
/// its own.
#[cached(ttl = "50ms", key = "{group}", namespace = "mosaic", policy = AGING, cache = cache)]
pub(crate) async fn mosaic(
    cache: &Cache,
    source: &Arc<Source>,
    group: u64,
) -> Result<Vec<Row>, Broken> {
    let mut rows = Vec::new();
    for item in items_of(group) {
        rows.push(if item < ITEMS / 2 {
            aging(cache, source, item).await
        } else {
            frail(cache, source, item).await?
        });
    }
    Ok(rows)
}
