//! A cold miss: nothing anywhere, one task. Ours looks, bids for the lease and fills; beside it as
//! many plain commands one after the other, with the same bytes.

use std::sync::Arc;
use std::time::Instant;

use afresh_measure::{Book, Contender, Point, in_turn};
use afresh_test_support::Server;

use crate::peers::Shelf;
use crate::peers::ours::Ours;
use crate::peers::raw::Raw;

pub(crate) fn all(rounds: usize, calls: usize) {
    let calls = calls / 4;
    let server = Server::start();
    let url = server.plain_url();
    let runtime = crate::runtime();
    let (raw, ours) = runtime.block_on(async {
        (
            Arc::new(Raw::new(&url).await),
            Arc::new(Ours::new(&url).await),
        )
    });
    let point = Point::new("cold miss", "1 task", "us");
    let ids = |round: usize| {
        let first = (round * calls) as i64;
        first..first + calls as i64
    };
    in_turn(
        &point,
        rounds,
        vec![
            Contender::new("raw GET, SET NX, SET", |round| {
                runtime.block_on(in_task(Arc::clone(&raw), ids(round), async |raw, id| {
                    let mut connection = raw.0.clone();
                    let mut get = redis::cmd("GET");
                    get.arg(format!("cold:{id}"));
                    let none: Option<Vec<u8>> =
                        get.query_async(&mut connection).await.expect("a server");
                    assert!(none.is_none(), "it is cold");
                    let mut lock = redis::cmd("SET");
                    lock.arg(format!("lock:{id}"))
                        .arg("x")
                        .arg("NX")
                        .arg("PX")
                        .arg(10_000);
                    lock.exec_async(&mut connection).await.expect("a server");
                    let bytes = postcard::to_stdvec(&Arc::new(Book::new(id))).expect("plain data");
                    let mut set = redis::cmd("SET");
                    set.arg(format!("cold:{id}"))
                        .arg(bytes)
                        .arg("EX")
                        .arg(3_600);
                    set.exec_async(&mut connection).await.expect("a server");
                }))
            }),
            Contender::new(Ours::SUBJECT, |round| {
                runtime.block_on(in_task(Arc::clone(&ours), ids(round), async |ours, id| {
                    ours.book(id).await;
                }))
            }),
        ],
    );
    assert_eq!(
        ours.0.stats().computed as usize,
        calls * (rounds + 1),
        "all were cold"
    );
}

/// Microseconds of each.
async fn in_task<S>(shelf: Arc<S>, ids: std::ops::Range<i64>, call: impl AsyncFn(&S, i64)) -> f64 {
    let count = ids.end - ids.start;
    let start = Instant::now();
    for id in ids {
        call(&shelf, id).await;
    }
    start.elapsed().as_secs_f64() * 1e6 / count as f64
}
