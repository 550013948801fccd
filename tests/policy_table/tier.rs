//! Where the cells are: a cache, its clock, a seat for each cell. Each call is counted here, and
//! compared with what the cache has counted; what is wrong is gathered, so that one run tells of all
//! cells.

use std::cell::{Cell as Slot, RefCell};
use std::rc::Rc;
use std::time::Duration;

use afresh::{
    Cache, ErrorKind, Outcome, Stats, Tier as Place, cached, entry, entry_sync, outcome, testing,
};

use afresh_test_support::{PATIENCE, until};

use crate::cell::{Call, Cell};
use crate::rows;
use crate::shop::{Answer, Shop};

/// What a call came to.
pub(crate) type Asked = (Answer, Outcome);

/// So often all that is woken by the clock has its turn before that moves on.
const TURNS: usize = 16;

/// A cache, and what is known of it.
pub(crate) struct Tier {
    pub(crate) name: String,
    pub(crate) cache: Cache,
    /// Its clock moves when it is told to, and never else.
    pub(crate) stands_still: bool,
    /// Whether a call knows that a value has not been invalidated, though the clock is moved further
    /// meanwhile than a silent server is believed.
    pub(crate) proves: bool,
}

#[cached(ttl = "6d", key = (), local, cache = cache)]
async fn believed(cache: &Cache) -> u32 {
    0
}

impl Tier {
    /// Moves the clock on, in strides that a lease outlives. (Of a server, leases go by a clock of
    /// its own.)
    pub(crate) async fn advance(&self, time: Duration) {
        const STRIDE: Duration = Duration::from_secs(1);
        if !self.stands_still || time > STRIDE * 100 {
            testing::advance(&self.cache, time);
            return;
        }
        let mut left = time;
        while !left.is_zero() {
            let stride = left.min(STRIDE);
            testing::advance(&self.cache, stride);
            left -= stride;
            // Who holds a lease renews it.
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        }
    }

    /// After its clock was moved far, a cache believes its view of the log again with the next sign
    /// of life.
    pub(crate) async fn settle(&self) {
        until("a local hit", async || {
            let (_, outcome) = outcome(believed(&self.cache)).await;
            outcome == Outcome::Hit(Place::Local)
        })
        .await;
    }
}

/// How a cell's values can be invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    Entry,
    Tag,
    ResultTag,
    Namespace,
    /// By a tag of a cached call in the body.
    Inherited,
}

/// A cell in its tier.
pub(crate) struct Seat {
    pub(crate) cell: Cell,
    pub(crate) shop: Shop,
    pub(crate) stands_still: bool,
    /// What its calls came to: how many, and of those that were stale, coalesced and timed out.
    tally: Slot<[u64; 4]>,
    report: Rc<RefCell<Vec<String>>>,
}

impl Seat {
    pub(crate) fn is_sync(&self) -> bool {
        matches!(self.cell.call, Call::Sync(_))
    }

    pub(crate) fn tell(&self, what: String) {
        let Cell { row, column, .. } = self.cell;
        let kind = if self.is_sync() { ", sync" } else { "" };
        let mut report = self.report.borrow_mut();
        report.push(format!("{row} × {column}{kind}: {what}"));
    }

    /// A call, counted.
    pub(crate) async fn call(&self, id: u32) -> Asked {
        let asked = match self.cell.call {
            Call::Async(call) => outcome(call(&self.shop, id)).await,
            Call::Sync(call) => outcome(async { call(&self.shop, id) }).await,
        };
        self.count(asked)
    }

    /// A call that computes whatever is stored, counted.
    pub(crate) async fn refresh(&self, id: u32) -> Answer {
        let answer = match self.cell.call {
            Call::Async(call) => entry(call(&self.shop, id)).refresh().await,
            Call::Sync(call) => entry_sync(|| call(&self.shop, id)).refresh(),
        };
        self.count((answer, Outcome::Computed)).0
    }

    /// What is stored and may be served as it is.
    pub(crate) async fn peek(&self, id: u32) -> Option<Answer> {
        let peeked = match self.cell.call {
            Call::Async(call) => entry(call(&self.shop, id)).peek().await,
            Call::Sync(call) => entry_sync(|| call(&self.shop, id)).peek(),
        };
        peeked.unwrap_or_else(|error| {
            self.tell(format!("a peek failed: {error}"));
            None
        })
    }

    pub(crate) async fn put(&self, id: u32, answer: Answer) -> Result<(), ErrorKind> {
        let put = match self.cell.call {
            Call::Async(call) => entry(call(&self.shop, id)).put(answer).await,
            Call::Sync(call) => entry_sync(|| call(&self.shop, id)).put(answer),
        };
        put.map_err(|error| error.kind())
    }

    fn count(&self, asked: Asked) -> Asked {
        let mut tally = self.tally.get();
        tally[0] += 1;
        match asked.1 {
            Outcome::Stale => tally[1] += 1,
            Outcome::Coalesced => tally[2] += 1,
            Outcome::TimedOut => tally[3] += 1,
            _ => {}
        }
        self.tally.set(tally);
        asked
    }

    /// Calls of the cell, and those in its bodies, of which none is stale.
    fn tally(&self) -> [u64; 4] {
        let mut tally = self.tally.get();
        tally[0] += u64::from(self.shop.asked());
        tally
    }

    pub(crate) fn means(&self) -> Vec<Means> {
        let options = &self.cell.options;
        [
            (true, Means::Entry),
            (options.tags, Means::Tag),
            (options.result_tags, Means::ResultTag),
            (options.namespace, Means::Namespace),
            (!options.apart, Means::Inherited),
        ]
        .into_iter()
        .filter_map(|(has, means)| has.then_some(means))
        .collect()
    }

    pub(crate) async fn invalidate(&self, means: Means, id: u32) {
        let (cache, number) = (&self.shop.cache, self.shop.number);
        let done = match means {
            Means::Entry => match self.cell.call {
                Call::Async(call) => entry(call(&self.shop, id)).invalidate().await,
                Call::Sync(call) => entry_sync(|| call(&self.shop, id)).invalidate(),
            },
            Means::Tag => cache.invalidate([format!("shop:{number}")]).await,
            Means::ResultTag => cache.invalidate([format!("result:{number}")]).await,
            Means::Namespace => cache.invalidate_namespace("table").await,
            Means::Inherited => cache.invalidate([format!("rate:{number}")]).await,
        };
        if let Err(error) = done {
            self.tell(format!("an invalidation by {means:?} failed: {error}"));
        }
    }
}

/// All cells of a tier.
pub(crate) struct Table {
    pub(crate) tier: Tier,
    pub(crate) seats: Vec<Seat>,
    hangs: Slot<bool>,
    report: Rc<RefCell<Vec<String>>>,
}

/// What was counted so far: by calls, and by the cache.
pub(crate) struct Tally([u64; 4], Stats);

impl Table {
    pub(crate) fn set(tier: Tier) -> Self {
        let report = Rc::default();
        let seat = |(cell, number)| Seat {
            cell,
            shop: Shop::new(&tier.cache, number),
            stands_still: tier.stands_still,
            tally: Slot::default(),
            report: Rc::clone(&report),
        };
        let seats = rows::cells().into_iter().zip(1..).map(seat).collect();
        Self {
            tier,
            seats,
            hangs: Slot::default(),
            report,
        }
    }

    pub(crate) fn tell(&self, what: String) {
        self.report.borrow_mut().push(what);
    }

    /// What was wrong, each with the tier.
    pub(crate) fn finish(self) -> Vec<String> {
        let name = self.tier.name;
        let told = self.report.take();
        told.iter().map(|what| format!("{name}: {what}")).collect()
    }

    pub(crate) fn which(&self, has: impl Fn(&Seat) -> bool) -> impl Iterator<Item = usize> {
        let all = self.seats.iter().enumerate();
        all.filter_map(move |(at, seat)| has(seat).then_some(at))
    }

    pub(crate) async fn pass(&self, time: Duration) {
        self.tier.advance(time).await;
        self.tier.settle().await;
    }

    /// A step of every cell, one after another: each call counts one outcome.
    pub(crate) async fn each(&self, step: impl AsyncFn(&Seat)) {
        for seat in &self.seats {
            if self.hangs.get() {
                return;
            }
            let before = Tally(seat.tally(), self.tier.cache.stats());
            let step = async {
                step(seat).await;
                testing::idle(&self.tier.cache).await;
            };
            if self.ends(step).await.is_none() {
                seat.tell("hangs, after what is told above".to_owned());
                return;
            }
            let told = before.compared(seat.tally(), &self.tier.cache.stats());
            if let Some(told) = told {
                seat.tell(told);
            }
        }
    }

    /// What a step comes to, if it ends. Where one does not, no other is begun.
    pub(crate) async fn ends<T>(&self, step: impl Future<Output = T>) -> Option<T> {
        let ended = tokio::time::timeout(PATIENCE, step).await.ok();
        self.hangs.set(ended.is_none());
        ended
    }

    /// Whether a step has not come to its end.
    pub(crate) fn hangs(&self) -> bool {
        self.hangs.get()
    }

    fn sum(&self) -> [u64; 4] {
        let mut sum = [0; 4];
        for seat in &self.seats {
            for (sum, count) in sum.iter_mut().zip(seat.tally()) {
                *sum += count;
            }
        }
        sum
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally(self.sum(), self.tier.cache.stats())
    }

    /// Compares what calls came to since with what the cache has counted.
    pub(crate) fn count(&self, before: &Tally, what: &str) {
        if let Some(told) = before.compared(self.sum(), &self.tier.cache.stats()) {
            self.tell(format!("{what}: {told}"));
        }
    }
}

impl Tally {
    /// Exactly one outcome of each call.
    fn compared(&self, calls: [u64; 4], stats: &Stats) -> Option<String> {
        let counted = |stats: &Stats| {
            let all = stats.hits_local
                + stats.hits_shared
                + stats.stale
                + stats.computed
                + stats.coalesced
                + stats.bypassed
                + stats.timed_out;
            [all, stats.stale, stats.coalesced, stats.timed_out]
        };
        let since = |now: [u64; 4], before: [u64; 4]| -> [u64; 4] {
            std::array::from_fn(|at| now[at] - before[at])
        };
        let calls = since(calls, self.0);
        let counted = since(counted(stats), counted(&self.1));
        (calls != counted).then(|| {
            format!(
                "counted otherwise than called: in all, stale, coalesced, timed out \
                 {counted:?} of {calls:?}"
            )
        })
    }
}
