//! A run: calls of one function at regular moments, second by second, and what came of each. Nothing
//! is drawn here.

use std::io;
use std::time::Duration;

use afresh::testing::ManualClock;
use afresh::{Cache, Outcome, Stats};
use tokio::task::JoinHandle;

use crate::shop::{self, Answer, Case, NoPrice, Shop};
use crate::world::{self, CALL, Database, Price, Query, Second};

/// Which price.
const ID: u32 = 7;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) asked: Second,
    pub(crate) answered: Second,
    pub(crate) price: Result<Price, NoPrice>,
    pub(crate) outcome: Outcome,
}

impl Called {
    pub(crate) fn waited(&self) -> Second {
        self.answered - self.asked
    }

    /// How old the value was when the caller got it.
    pub(crate) fn age(&self) -> Option<Second> {
        let price = self.price.as_ref().ok()?;
        Some(self.answered - price.read)
    }

    /// Whether the database had another price by then.
    pub(crate) fn is_wrong(&self) -> bool {
        let current = world::price_at(self.answered);
        self.price
            .as_ref()
            .is_ok_and(|price| price.amount != current)
    }
}

/// Part of a compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Which compute.
    pub(crate) compute: usize,
    pub(crate) from: Second,
    pub(crate) to: Second,
    /// Whether somebody waited for it.
    pub(crate) waited_for: bool,
    pub(crate) failed: bool,
}

/// What happened in a run.
#[derive(Debug)]
pub(crate) struct Timeline {
    pub(crate) case: Case,
    /// In the order of their beginnings; those that were not answered in time are left out.
    pub(crate) calls: Vec<Called>,
    pub(crate) computes: Vec<Span>,
    pub(crate) queries: usize,
    pub(crate) stats: Stats,
}

/// Runs one function, on a thread of its own making and by a clock of its own: each run of it is
/// like the other.
pub(crate) fn run(case: Case) -> io::Result<Timeline> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(timeline(case)).map_err(io::Error::other)
}

async fn timeline(case: Case) -> Result<Timeline, afresh::Error> {
    let clock = ManualClock::new();
    let shop = Shop {
        cache: Cache::builder().clock(&clock).build().await?,
        database: Database::new(),
    };
    let mut calls: Vec<(Second, JoinHandle<(Second, Answer)>)> = Vec::new();
    for second in 0..=world::END {
        if second > 0 {
            clock.advance(Duration::from_secs(1));
            shop.database.tick();
            // What ends at this second has ended before anything else begins at it.
            settled().await;
        }
        if second == world::INVALIDATION {
            // It has no way to fail: in memory, an invalidation is acknowledged at once.
            let _ = shop::reprice(&shop, ID).await;
        }
        if second % world::EVERY == 0 {
            let number = calls.len();
            let (call, database) = ((case.call)(shop.clone(), ID), shop.database.clone());
            let timed = async move { (call.await, database.now()) };
            let timed = CALL.scope(number, timed);
            calls.push((
                second,
                tokio::spawn(async move {
                    let (answer, answered) = timed.await;
                    (answered, answer)
                }),
            ));
            settled().await;
        }
    }
    let mut answered = Vec::new();
    for (asked, call) in calls {
        if !call.is_finished() {
            call.abort();
            answered.push(None);
            continue;
        }
        answered.push(call.await.ok().map(|(at, (price, outcome))| Called {
            asked,
            answered: at,
            price,
            outcome,
        }));
    }
    let queries = shop.database.queries();
    Ok(Timeline {
        case,
        computes: (0..queries.len())
            .flat_map(|at| spans(at, &queries, &answered))
            .collect(),
        queries: queries.len(),
        calls: answered.into_iter().flatten().collect(),
        stats: shop.cache.stats(),
    })
}

/// Lets everything go on that can, until it waits for the clock. There is one thread: in a turn,
/// whatever is ready is polled once, and nothing here wakes more than a few others in a row.
async fn settled() {
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
}

/// A compute in parts: with somebody waiting for it, and without. Who had begun none waits for
/// the one that began last.
fn spans(at: usize, queries: &[Query], calls: &[Option<Called>]) -> Vec<Span> {
    let query = queries[at];
    let is_waited_for = |second: Second| {
        calls.iter().enumerate().any(|(number, called)| {
            let asked = world::EVERY * number as Second;
            // Who was not answered was waiting to the end.
            let answered = called.as_ref().map_or(world::END, |called| called.answered);
            let own = queries.iter().position(|query| query.call == Some(number));
            let last = queries.iter().rposition(|query| query.began <= second);
            (asked..answered).contains(&second) && own.or(last) == Some(at)
        })
    };
    let mut spans: Vec<Span> = Vec::new();
    for second in query.began..query.ended.unwrap_or(world::END) {
        let waited_for = is_waited_for(second);
        match spans.last_mut() {
            Some(span) if span.waited_for == waited_for => span.to = second + 1,
            _ => spans.push(Span {
                compute: at,
                from: second,
                to: second + 1,
                waited_for,
                failed: query.failed,
            }),
        }
    }
    spans
}
