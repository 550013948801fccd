//! A request that is dropped, and what undoes it: where there are several connections, one of them may
//! be slow.

use std::time::{Duration, Instant};

use afresh::testing::left;
use afresh::{Cache, entry};
use afresh_test_support::{PATIENCE, ReplyGate, Server, until};
use futures_util::FutureExt as _;

use crate::harness::guard;
use crate::shop::{Source, flown};

/// Too short, and this sees less; it is never wrong.
const AS_FAR_AS_IT_COMES: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_bid_on_a_slow_connection_is_undone_when_it_has_arrived() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let builder = || Cache::builder().prefix("shop").op_timeout(PATIENCE);
    let one = builder().url(gate.url()).connections(2).build();
    let one = one.await.expect("a cache");
    let two = builder().url(server.url()).build().await.expect("a cache");
    let source = Source::new(Vec::new());
    let mut stood = 0;
    for id in 0..16 {
        // Look-ups take the connections in turn: at times, out of step with the slow one's.
        if id % 4 == 0 {
            let handle = entry(flown(&one, &source, 100 + id));
            assert_eq!(handle.peek().await.expect("cached"), None);
        }
        let slow = usize::from(id % 8 >= 4);
        gate.hold_asks_of(slow);
        let mut call = Box::pin(flown(&one, &source, id));
        server.reset_stats();
        let began = Instant::now();
        let mut has_ended = false;
        until("it stands, or ends", async || {
            has_ended = has_ended || (&mut call).now_or_never().is_some();
            has_ended || began.elapsed() > AS_FAR_AS_IT_COMES
        })
        .await;
        let has_looked = server.commandstats().contains_key("get");
        stood += usize::from(!has_ended && has_looked);
        drop(call);
        // What undoes a bid goes its way, if it can: before that, or behind it.
        let dropped = Instant::now();
        until("it is undone, or is on its way", async || {
            left(&one).errands == 0 || dropped.elapsed() > AS_FAR_AS_IT_COMES
        })
        .await;
        gate.release();
        let value = guard("the other process", flown(&two, &source, id)).await;
        assert_eq!(value, 1);
    }
    println!("{stood} stood in their bids");
    assert!(stood >= 2, "{stood} stood in their bids");
}
