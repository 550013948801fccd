//! A hit on the server: by one task, by many at a time; and how many commands it takes.

use std::sync::Arc;
use std::time::Instant;

use afresh_measure::{Contender, Point, Series, in_turn, order};
use afresh_test_support::Server;

use crate::peers::Shelf;
use crate::peers::amalgam::Amalgam;
use crate::peers::cached::Cached;
use crate::peers::cachekit::Cachekit;
use crate::peers::hitbox::Hitbox;
use crate::peers::ours::Ours;
use crate::peers::python::Python;
use crate::peers::raw::Raw;

/// As many keys, all of them warm.
pub(crate) const KEYS: i64 = 1_000;

pub(crate) fn all(rounds: usize, calls: usize) {
    let server = Server::start();
    let url = server.plain_url();
    let runtime = crate::runtime();
    let (raw, ours, cached, hitbox, cachekit, amalgam) = runtime.block_on(async {
        let raw = Arc::new(Raw::new(&url).await);
        raw.fill(KEYS).await;
        let ours = Arc::new(Ours::new(&url).await);
        let cached = Arc::new(Cached::new(&url));
        let hitbox = Arc::new(Hitbox::new(&url));
        let cachekit = Arc::new(Cachekit::new(&url).await);
        let amalgam = Arc::new(Amalgam::new(&url).await);
        warm(&*ours).await;
        warm(&*cached).await;
        warm(&*hitbox).await;
        warm(&*cachekit).await;
        warm(&*amalgam).await;
        (raw, ours, cached, hitbox, cachekit, amalgam)
    });
    let pythons = Python::all(&url);
    for tasks in [1, 64, 256] {
        // What takes turns on one connection takes less than what waits for each answer.
        let calls = if tasks == 1 { calls } else { calls * 4 };
        let case = if tasks == 1 {
            "1 task".to_owned()
        } else {
            format!("{tasks} tasks")
        };
        let point = Point::new("shared hit", &case, "us").at(f64::from(tasks));
        let tasks = tasks as usize;
        macro_rules! contender {
            ($shelf:expr) => {
                contender(&runtime, $shelf, tasks, calls)
            };
        }
        let mut contenders = vec![
            contender!(&raw),
            contender!(&ours),
            contender!(&cached),
            contender!(&hitbox),
            contender!(&cachekit),
            contender!(&amalgam),
        ];
        // They take longer: a few calls are enough.
        let order = format!("hits {tasks} {}", (calls / 20).max(tasks));
        for python in &pythons {
            let order = order.clone();
            contenders.push(Contender::new(python.subject, move |_| {
                python.order(&order)
            }));
        }
        in_turn(&point, rounds, contenders);
    }
    let computed = ours.0.stats().computed;
    assert_eq!(computed, KEYS as u64, "everything measured was a hit");
    runtime.block_on(async {
        commands(&server, &*raw).await;
        commands(&server, &*ours).await;
        commands(&server, &*cached).await;
        commands(&server, &*hitbox).await;
        commands(&server, &*cachekit).await;
        commands(&server, &*amalgam).await;
    });
}

pub(crate) async fn warm(shelf: &impl Shelf) {
    for id in 0..KEYS {
        shelf.book(id).await;
    }
}

pub(crate) fn contender<'a, S: Shelf>(
    runtime: &'a tokio::runtime::Runtime,
    shelf: &Arc<S>,
    tasks: usize,
    calls: usize,
) -> Contender<'a> {
    let shelf = Arc::clone(shelf);
    Contender::new(S::SUBJECT, move |round| {
        runtime.block_on(together(&shelf, tasks, calls / tasks, round))
    })
}

/// Microseconds of one call: the time that passes, by the number of calls of all tasks.
async fn together<S: Shelf>(shelf: &Arc<S>, tasks: usize, each: usize, round: usize) -> f64 {
    let start = Instant::now();
    let all: Vec<_> = (0..tasks)
        .map(|task| {
            let shelf = Arc::clone(shelf);
            tokio::spawn(async move {
                for id in order(round * 1_000 + task, KEYS).take(each) {
                    shelf.book(id).await;
                }
            })
        })
        .collect();
    for task in all {
        task.await.expect("a task");
    }
    start.elapsed().as_secs_f64() * 1e6 / (tasks * each) as f64
}

/// How many commands a hit takes, as the server counts them. What goes on in the background once a
/// second or so is divided by many calls.
async fn commands<S: Shelf>(server: &Server, shelf: &S) {
    const CALLS: usize = 2_000;
    let before: u64 = server.commandstats().values().sum();
    for id in order(1, KEYS).take(CALLS) {
        shelf.book(id).await;
    }
    let after: u64 = server.commandstats().values().sum();
    // Asking for them is one.
    let each = (after - before).saturating_sub(1) as f64 / CALLS as f64;
    Series {
        point: Point::new("shared hit", "commands", ""),
        subject: S::SUBJECT.to_owned(),
        rounds: vec![each],
    }
    .write();
}
