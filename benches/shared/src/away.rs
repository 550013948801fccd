//! A call while the server is away, beside its body.

use std::hint::black_box;
use std::time::{Duration, Instant};

use afresh_measure::{Book, Contender, Point, in_turn, order};
use afresh_test_support::{Server, Stop};

use crate::hits::KEYS;
use crate::peers::Shelf;
use crate::peers::ours::Ours;

pub(crate) fn all(rounds: usize, calls: usize) {
    let server = Server::start();
    let runtime = crate::runtime();
    let ours = runtime.block_on(Ours::new(&server.plain_url()));
    server.stop(Stop::Kill);
    // Until the loss is known, a call waits for what will not come.
    runtime.block_on(async {
        while {
            let start = Instant::now();
            ours.book(0).await;
            start.elapsed() > Duration::from_millis(1)
        } {}
    });
    let each = |start: Instant| start.elapsed().as_secs_f64() * 1e6 / calls as f64;
    in_turn(
        &Point::new("server away", "1 task", "us"),
        rounds,
        vec![
            Contender::new("the body", |round| {
                let start = Instant::now();
                for id in order(round, KEYS).take(calls) {
                    black_box(Book::new(black_box(id)));
                }
                each(start)
            }),
            Contender::new(Ours::SUBJECT, |round| {
                runtime.block_on(async {
                    let start = Instant::now();
                    for id in order(round, KEYS).take(calls) {
                        ours.book(id).await;
                    }
                    each(start)
                })
            }),
        ],
    );
    assert_eq!(ours.0.stats().hits_shared, 0);
}
