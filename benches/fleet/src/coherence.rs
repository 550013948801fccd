//! From the acknowledgement of an invalidation to the last of 8 processes dropping its own copy.
//! Each process looks at its copy every 50 microseconds or so; what that adds is in the figure.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use afresh::{Cache, cached, entry};
use afresh_measure::{Point, Series};
use afresh_test_support::Server;

use crate::process::{self, Process, now};

const PROCESSES: usize = 8;
const LOOKS: Duration = Duration::from_micros(50);

#[cached(ttl = 3600, key = "{id}", tags = ["numbers"], cache = cache)]
async fn number(cache: &Cache, id: u64) -> u64 {
    id
}

pub(crate) fn measure(server: &Server, rounds: usize) {
    let url = server.plain_url();
    let mut fleet: Vec<Process> = (0..PROCESSES)
        .map(|_| Process::start("keeper", &url))
        .collect();
    let runtime = runtime();
    let cache = runtime.block_on(connect(&url));
    let mut times = Vec::new();
    for round in 0..rounds + 2 {
        for process in &mut fleet {
            process.say("keep");
        }
        for process in &mut fleet {
            assert_eq!(process.hear(), "kept");
        }
        runtime
            .block_on(cache.invalidate(["numbers"]))
            .expect("an acknowledgement");
        let acknowledged = now();
        let dropped = fleet.iter_mut().map(|process| {
            let answer = process.hear();
            answer.parse::<u64>().expect("a time")
        });
        let last = dropped.max().expect("a fleet");
        if round >= 2 {
            times.push(last.saturating_sub(acknowledged) as f64 / 1e6);
        }
    }
    Series {
        point: Point::new("coherence", "acknowledged to dropped", "ms"),
        subject: "afresh".to_owned(),
        rounds: times,
    }
    .write();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}

async fn connect(url: &str) -> Cache {
    Cache::builder().url(url).build().await.expect("a cache")
}

/// What a process of the fleet does: keeps a copy, and looks when it is gone.
pub(crate) fn keep(url: &str) {
    let runtime = runtime();
    let cache = runtime.block_on(connect(url));
    process::answer("ready");
    for _ in process::orders() {
        runtime.block_on(number(&cache, 1));
        let _inside = runtime.enter();
        assert!(is_kept(&cache), "what was just read is kept");
        process::answer("kept");
        while is_kept(&cache) {
            std::thread::sleep(LOOKS);
        }
        process::answer(&now().to_string());
    }
}

/// Whether this process has a copy that it would give to a caller, without asking the server.
fn is_kept(cache: &Cache) -> bool {
    let look = pin!(entry(number(cache, 1)).peek());
    let looked = look.poll(&mut Context::from_waker(Waker::noop()));
    matches!(looked, Poll::Ready(Ok(Some(_))))
}
