//! Every policy and every pair of policies with every other option, in each of its forms: a table of
//! functions, each of which is called, invalidated, failed and left to grow old, in memory and on a
//! server, `Bounded` and `Strict`. What a policy does at its edges, one by one, is in `policies.rs`.
//!
//! A column of the table has a form of several options at once, so that every form of each is there
//! with every row, and the options that a policy has to work with are there in pairs: what is stored
//! of the value (`store_if`, a ttl of the value, tags of the result), `singleflight`, `local`.

#[path = "policy_table/blocking.rs"]
mod blocking;
#[path = "policy_table/cell.rs"]
mod cell;
#[path = "policy_table/columns.rs"]
mod columns;
#[path = "policy_table/rows.rs"]
mod rows;
#[path = "policy_table/shapes.rs"]
mod shapes;
#[path = "policy_table/shop.rs"]
mod shop;
#[path = "policy_table/steps.rs"]
mod steps;
#[path = "policy_table/tier.rs"]
mod tier;

use afresh::testing::{ManualClock, Store, with_cache};
use afresh::{Builder, Cache, Consistency};

use tier::{Table, Tier};

/// 28 rows of 12 columns, 8 of 5 shapes, 7 of 7 functions that are not async.
const CELLS: usize = 28 * 12 + 8 * 5 + 7 * 7;

const BOTH: [Consistency; 2] = [Consistency::Bounded, Consistency::Strict];

/// Runs the table in one tier; fails with all that was wrong.
async fn holds(
    name: &str,
    consistency: Consistency,
    builder: Builder,
    stands_still: bool,
    proves: bool,
) {
    let builder = builder.consistency(consistency).max_background(10_000);
    let cache = builder.build().await.expect("a cache");
    let tier = Tier {
        name: format!("{name}, {consistency:?}"),
        cache: cache.clone(),
        stands_still,
        proves: proves || matches!(consistency, Consistency::Strict),
    };
    let mut table = Table::set(tier);
    with_cache(cache, steps::run(&mut table)).await;
    let count = table.seats.len();
    println!("{name}, {consistency:?}: {count} cells");
    assert_eq!(count, CELLS, "a cell was lost, or added");
    let wrong = table.finish();
    assert!(
        wrong.is_empty(),
        "{} times wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn in_memory() {
    for consistency in BOTH {
        let builder = Cache::builder().clock(&ManualClock::new());
        holds("in memory", consistency, builder, true, true).await;
    }
}

#[tokio::test]
async fn on_a_store_in_this_process() {
    for consistency in BOTH {
        let store = Store::with_clock(&ManualClock::new());
        holds("on a store", consistency, store.builder(), true, false).await;
    }
}

#[cfg(feature = "redis")]
async fn on_a_server(consistency: Consistency) {
    let builder = Cache::builder()
        .url(afresh_test_support::Server::shared().url())
        .prefix(format!("table-{consistency:?}"));
    holds("on a server", consistency, builder, false, false).await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
async fn on_a_server_bounded() {
    on_a_server(Consistency::Bounded).await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread")]
async fn on_a_server_strict() {
    on_a_server(Consistency::Strict).await;
}
