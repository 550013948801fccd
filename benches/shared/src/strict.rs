//! A hit in the process in `Strict`, which asks the server once for all reads of the moment; beside
//! a `PING`.

use std::sync::Arc;

use afresh::{Cache, Consistency};
use afresh_measure::{Contender, Point, in_turn};
use afresh_test_support::Server;

use crate::hits::{KEYS, contender, warm};
use crate::peers::Shelf;
use crate::peers::ours::Ours;
use crate::peers::raw::Raw;

struct Ping(Raw);

impl Shelf for Ping {
    const SUBJECT: &'static str = "raw PING";

    async fn book(&self, _: i64) {
        let ping = redis::cmd("PING");
        ping.exec_async(&mut self.0.0.clone())
            .await
            .expect("a server");
    }
}

pub(crate) fn all(rounds: usize, calls: usize) {
    let server = Server::start();
    let url = server.plain_url();
    let runtime = crate::runtime();
    let (raw, ours) = runtime.block_on(async {
        let builder = Cache::builder().url(&url).consistency(Consistency::Strict);
        let ours = Ours(builder.build().await.expect("a cache"));
        warm(&ours).await;
        (Arc::new(Ping(Raw::new(&url).await)), Arc::new(ours))
    });
    for tasks in [1, 64] {
        let case = if tasks == 1 { "1 task" } else { "64 tasks" };
        let point = Point::new("strict hit", case, "us").at(tasks as f64);
        let contenders: Vec<Contender<'_>> = vec![
            contender(&runtime, &raw, tasks, calls),
            contender(&runtime, &ours, tasks, calls),
        ];
        in_turn(&point, rounds, contenders);
    }
    let computed = ours.0.stats().computed;
    assert_eq!(computed, KEYS as u64, "everything measured was a hit");
}
