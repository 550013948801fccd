//! What the functions are asked about: a price in a database that is slow, sometimes very slow, and
//! for a while away. It goes by the seconds that `run` counts; no machine's clock is read.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// Seconds since the beginning of a run.
pub(crate) type Second = u32;

/// How long a run is.
pub(crate) const END: Second = 240;

/// How often somebody calls.
pub(crate) const EVERY: Second = 3;

/// When the database is away: from here, up to here.
pub(crate) const OUTAGE: (Second, Second) = (72, 138);

/// When it takes its time.
pub(crate) const SLOW: (Second, Second) = (147, 207);

/// When the price is changed by way of a function that invalidates it.
pub(crate) const INVALIDATION: Second = 180;

/// How often it changes otherwise, so that nobody is told.
const PRICE: Second = 25;

/// How long the database takes to answer: as a rule, where it is slow, and where it is away.
const ANSWER: Second = 2;
const SLOW_ANSWER: Second = 12;
const REFUSAL: Second = 1;

/// A price, and when it was asked for and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    pub(crate) amount: u32,
    pub(crate) asked: Second,
    pub(crate) read: Second,
}

/// What the price is at this second.
pub(crate) fn price_at(second: Second) -> u32 {
    100 + second / PRICE + u32::from(second >= INVALIDATION)
}

/// One query: from its beginning to its end, if it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) began: Second,
    pub(crate) ended: Option<Second>,
    pub(crate) failed: bool,
    /// Which call it was begun in, if it was in one.
    pub(crate) call: Option<usize>,
}

tokio::task_local! {
    /// Which call this is.
    pub(crate) static CALL: usize;
}

/// The database is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Away;

/// A handle on the database.
#[derive(Clone, Debug)]
pub(crate) struct Database(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    now: watch::Sender<Second>,
    queries: Mutex<Vec<Query>>,
}

impl Database {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inside {
            now: watch::Sender::new(0),
            queries: Mutex::default(),
        }))
    }

    /// Another second has begun.
    pub(crate) fn tick(&self) {
        self.0.now.send_modify(|now| *now += 1);
    }

    pub(crate) fn now(&self) -> Second {
        *self.0.now.borrow()
    }

    /// The price as of the answer.
    pub(crate) async fn price(&self) -> Result<Price, Away> {
        let began = self.now();
        let is_away = within(began, OUTAGE);
        let takes = match () {
            () if is_away => REFUSAL,
            () if within(began, SLOW) => SLOW_ANSWER,
            () => ANSWER,
        };
        let query = self.began(began);
        // It fails only where nobody is left to count the seconds.
        let _ = self
            .0
            .now
            .subscribe()
            .wait_for(|now| *now >= began + takes)
            .await;
        let read = self.now();
        self.ended(query, read, is_away);
        if is_away {
            return Err(Away);
        }
        Ok(Price {
            amount: price_at(read),
            asked: began,
            read,
        })
    }

    fn began(&self, began: Second) -> usize {
        let mut queries = self.lock();
        queries.push(Query {
            began,
            ended: None,
            failed: false,
            call: CALL.try_with(|call| *call).ok(),
        });
        queries.len() - 1
    }

    fn ended(&self, query: usize, ended: Second, failed: bool) {
        if let Some(query) = self.lock().get_mut(query) {
            query.ended = Some(ended);
            query.failed = failed;
        }
    }

    /// All queries so far, in the order in which they began.
    pub(crate) fn queries(&self) -> Vec<Query> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Query>> {
        // Each change is one step.
        self.0
            .queries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn within(second: Second, (from, to): (Second, Second)) -> bool {
    (from..to).contains(&second)
}
