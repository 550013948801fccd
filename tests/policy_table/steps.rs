//! What is checked of each cell, one step after another, on a clock that all cells of a tier share:
//! within the ttl, past it, beyond the grace. Each step says what the cell's policy makes of it.

use std::cell::Cell;
use std::fmt::Debug;
use std::time::Duration;

use afresh::testing::idle;
use afresh::{ErrorKind, Outcome, Tier};
use futures_util::future::join_all;

use crate::rows::{BACKOFF, HARD, SOFT, TTL};
use crate::shop::{Answer, Broken, FLEETING, UNLUCKY};
use crate::tier::{Asked, Means, Seat, Table};

const ERR: Answer = Err(Broken::Source);

/// What an answer is to be, for comparison with `Hit` in any tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Hit,
    Exactly(Outcome),
}

use How::{Exactly, Hit};

const COMPUTED: How = Exactly(Outcome::Computed);
const STALE: How = Exactly(Outcome::Stale);

/// Entries of each cell that are stored when the clock begins, at the price of 1.
mod primed {
    pub(super) const AHEAD: u32 = 10;
    pub(super) const AHEAD_FAILS: u32 = 11;
    pub(super) const AHEAD_OVERTAKEN: u32 = 12;
    pub(super) const STALE: u32 = 13;
    pub(super) const STALE_FAILS: u32 = 14;
    pub(super) const STALE_INVALIDATED: u32 = 15;
    pub(super) const STALE_OVERTAKEN: u32 = 16;
    pub(super) const SOFT: u32 = 17;
    pub(super) const HARD: u32 = 18;
    pub(super) const LATE: u32 = 19;
    pub(super) const LATE_FAILS: u32 = 20;
    pub(super) const OVER: u32 = 21;
    pub(super) const SPREAD: u32 = 22;
    pub(super) const STALE_PUT: u32 = 23;
    pub(super) const ALL: std::ops::RangeInclusive<u32> = AHEAD..=STALE_PUT;
}

/// One that is not.
const COLD: u32 = 30;
/// One that is stored at the end.
const LAST: u32 = 31;

/// Every step of every cell; says what was otherwise than it should be.
pub(crate) async fn run(table: &mut Table) {
    table.each(async |seat| begin(seat).await).await;
    table.each(async |seat| together(seat).await).await;
    table.each(async |seat| given(seat).await).await;
    table.each(async |seat| prime(seat).await).await;
    // 360 s of 540 or more.
    table.pass(TTL * 6 / 10).await;
    table.each(async |seat| ahead(seat).await).await;
    // 560 s of 540 to 660 where there is `jitter`.
    table.pass(TTL / 3).await;
    spread(table).await;
    // 1,060 s of 660 at most, and of 1,740 or more with `stale_for`.
    table.pass(TTL * 5 / 6).await;
    table.each(async |seat| stale(seat).await).await;
    table.pass(BACKOFF + SOFT).await;
    table.each(async |seat| tried_again(seat).await).await;
    // 2,000 s of 1,860 at most with `stale_for`, and of 3,540 or more with `stale_if_error`.
    table.pass(TTL * 3 / 2).await;
    soft_timeouts(table).await;
    hard_timeouts(table).await;
    table.each(async |seat| late(seat).await).await;
    table.pass(TTL * 4).await;
    table.each(async |seat| over(seat).await).await;
    table.pass(TTL * 7 / 6).await;
    table.each(async |seat| last_stale(seat).await).await;
    table.each(async |seat| last_invalidated(seat).await).await;
    table.each(async |seat| last_seen(seat).await).await;
}

impl Seat {
    fn expect<T: PartialEq + Debug>(&self, what: &str, found: T, expected: T) {
        if found != expected {
            self.tell(format!("{what}: expected {expected:?}, found {found:?}"));
        }
    }

    /// A call, and what it is to return: the value at a price, and how.
    async fn gives(&self, what: &str, id: u32, price: u32, how: How) {
        let value = self.shop.value(id, price);
        self.answers(what, id, Ok(value), how).await;
    }

    async fn fails(&self, what: &str, id: u32) {
        self.answers(what, id, ERR, COMPUTED).await;
    }

    async fn answers(&self, what: &str, id: u32, answer: Answer, how: How) {
        let (found, outcome) = self.call(id).await;
        self.is(what, (found, outcome), answer, how);
    }

    fn is(&self, what: &str, (found, outcome): Asked, answer: Answer, how: How) {
        let found_how = match outcome {
            Outcome::Hit(Tier::Shared) if self.cell.options.local => Exactly(outcome),
            Outcome::Hit(_) => Hit,
            other => Exactly(other),
        };
        self.expect(what, (found, found_how), (answer, how));
    }

    /// How many bodies run in a step.
    async fn runs(&self, what: &str, expected: u32, step: impl AsyncFnOnce()) {
        let before = self.shop.runs();
        step().await;
        idle(&self.shop.cache).await;
        self.expect(what, self.shop.runs() - before, expected);
    }

    /// One of the means that the cell has: of a column, not the same in each row.
    fn last_means(&self) -> Means {
        let means = self.means();
        let rows_before = (self.shop.number as usize - 1) / 12;
        means[rows_before % means.len()]
    }

    /// Whether a failure of just now still holds back the next try: without the option, that is a
    /// second of a clock that runs.
    fn backs_off(&self) -> bool {
        self.stands_still || self.cell.rules.backoff
    }
}

/// Ten calls, each kind of invalidation, errors, and values that are not stored.
async fn begin(seat: &Seat) {
    let (shop, options) = (&seat.shop, &seat.cell.options);
    shop.costs(1);
    seat.runs("runs of ten calls", 1, async || {
        seat.gives("the first call", 1, 1, COMPUTED).await;
        for _ in 0..9 {
            seat.gives("a call after the first", 1, 1, Hit).await;
        }
    })
    .await;

    let mut at = 1;
    for means in seat.means() {
        at += 1;
        shop.costs(at);
        seat.gives("before an invalidation", 1, at - 1, Hit).await;
        seat.invalidate(means, 1).await;
        let what = format!("after an invalidation by {means:?}");
        seat.gives(&what, 1, at, COMPUTED).await;
        seat.gives(&what, 1, at, Hit).await;
    }
    if options.apart {
        shop.costs(at + 1);
        seat.invalidate(Means::Inherited, 1).await;
        seat.gives("with `inherit = false`", 1, at, Hit).await;
    }

    shop.breaks(true);
    seat.runs("runs of failing calls", 2, async || {
        seat.fails("a call that fails", 2).await;
        seat.fails("a call that fails again", 2).await;
    })
    .await;
    shop.breaks(false);
    shop.costs(3);
    seat.gives("after failures", 2, 3, COMPUTED).await;
    seat.gives("after failures", 2, 3, Hit).await;

    let unstored = [
        (options.store_if, UNLUCKY, "`store_if`"),
        (options.ttl_of_value, FLEETING, "a ttl of zero"),
    ];
    for (_, price, what) in unstored.iter().filter(|(applies, _, _)| *applies) {
        shop.costs(*price);
        seat.gives(what, 3, *price, COMPUTED).await;
        seat.gives(what, 3, *price, COMPUTED).await;
    }
}

/// Calls at one time: one compute with `singleflight`, one of each without.
async fn together(seat: &Seat) {
    const CALLS: u32 = 4;
    if seat.is_sync() {
        return;
    }
    let (shop, flies) = (&seat.shop, seat.cell.options.singleflight);
    shop.costs(4);
    shop.hold(true);
    let expected = if flies { 1 } else { CALLS };
    let runs = shop.runs();
    let calls = join_all((0..CALLS).map(|_| seat.call(4)));
    let source = async {
        shop.reached(runs + expected).await;
        shop.hold(false);
    };
    let (answers, ()) = tokio::join!(calls, source);
    seat.expect("runs of calls at one time", shop.runs() - runs, expected);
    let mut computed = 0;
    for (answer, outcome) in answers {
        seat.expect("of calls at one time", answer, Ok(shop.value(4, 4)));
        match outcome {
            Outcome::Computed => computed += 1,
            // On a server, it may come when all is done.
            Outcome::Coalesced | Outcome::Hit(_) if flies => {}
            other => seat.tell(format!("of calls at one time: found {other:?}")),
        }
    }
    seat.expect("who computed of calls at one time", computed, expected);

    if flies && seat.stands_still {
        shop.breaks(true);
        shop.hold(true);
        let runs = shop.runs();
        let calls = join_all((0..CALLS).map(|_| seat.call(5)));
        let source = async {
            shop.reached(runs + 1).await;
            shop.hold(false);
        };
        let (answers, ()) = tokio::join!(calls, source);
        for (at, asked) in answers.into_iter().enumerate() {
            let how = if at == 0 {
                COMPUTED
            } else {
                Exactly(Outcome::Coalesced)
            };
            seat.is("of failing calls at one time", asked, ERR, how);
        }
        seat.expect("runs of failing calls", shop.runs() - runs, 1);
        shop.breaks(false);
    }
}

/// What is put, and what is computed though there is a value.
async fn given(seat: &Seat) {
    const ID: u32 = 6;
    let shop = &seat.shop;
    shop.costs(5);
    seat.runs("runs of what is put", 0, async || {
        seat.expect("what is not stored", seat.peek(ID).await, None);
        let put = seat.put(ID, Ok(shop.value(ID, 2))).await;
        seat.expect("what is put", put, Ok(()));
        let peeked = seat.peek(ID).await;
        seat.expect("what was put", peeked, Some(Ok(shop.value(ID, 2))));
        seat.gives("what was put", ID, 2, Hit).await;
        let put = seat.put(ID, ERR).await;
        seat.expect("an `Err`", put, Err(ErrorKind::Refused));
        seat.gives("after an `Err` was put", ID, 2, Hit).await;
    })
    .await;
    seat.runs("runs of a refresh", 1, async || {
        let refreshed = seat.refresh(ID).await;
        let value = shop.value(ID, 5);
        seat.expect("what is refreshed", refreshed, Ok(value));
        seat.gives("after a refresh", ID, 5, Hit).await;
    })
    .await;
    shop.breaks(true);
    let refreshed = seat.refresh(ID).await;
    seat.expect("a refresh that fails", refreshed, ERR);
    shop.breaks(false);
    seat.gives("after a refresh that failed", ID, 5, Hit).await;
    for means in seat.means() {
        shop.costs(6);
        let put = seat.put(ID, Ok(shop.value(ID, 7))).await;
        seat.expect("what is put again", put, Ok(()));
        seat.invalidate(means, ID).await;
        // A body's cached calls are not what was put was made of.
        let is_kept = means == Means::Inherited;
        let (price, how) = if is_kept { (7, Hit) } else { (6, COMPUTED) };
        let what = format!("what was put, after an invalidation by {means:?}");
        seat.gives(&what, ID, price, how).await;
    }
}

async fn prime(seat: &Seat) {
    seat.shop.costs(1);
    for id in primed::ALL {
        seat.gives("what is stored at first", id, 1, COMPUTED).await;
    }
}

/// Within the ttl, and beyond the part of it after which `refresh_ahead` computes.
async fn ahead(seat: &Seat) {
    let shop = &seat.shop;
    let is_ahead = seat.cell.rules.refresh_ahead;
    let refreshed = seat.shop.cache.stats().refreshed_ahead;
    shop.costs(2);
    seat.runs("runs within the ttl", is_ahead.into(), async || {
        seat.gives("within the ttl", primed::AHEAD, 1, Hit).await;
    })
    .await;
    let after = if is_ahead { 2 } else { 1 };
    seat.gives("within the ttl, later", primed::AHEAD, after, Hit)
        .await;
    let refreshed = seat.shop.cache.stats().refreshed_ahead - refreshed;
    seat.expect("refreshed ahead", refreshed, is_ahead.into());

    shop.breaks(true);
    seat.runs("failing runs within the ttl", is_ahead.into(), async || {
        seat.gives("where that fails", primed::AHEAD_FAILS, 1, Hit)
            .await;
    })
    .await;
    if seat.backs_off() {
        seat.runs("runs after one that failed", 0, async || {
            seat.gives("after it failed", primed::AHEAD_FAILS, 1, Hit)
                .await;
        })
        .await;
    }
    shop.breaks(false);

    if is_ahead {
        let id = primed::AHEAD_OVERTAKEN;
        overtaken(seat, id, Hit).await;
    }
}

/// An invalidation while a value is computed in the background: it brings nothing back.
async fn overtaken(seat: &Seat, id: u32, how: How) {
    let shop = &seat.shop;
    let runs = shop.runs();
    shop.costs(7);
    shop.hold(true);
    seat.gives("while one is computed", id, 1, how).await;
    shop.reached(runs + 1).await;
    seat.invalidate(Means::Entry, id).await;
    shop.costs(8);
    shop.hold(false);
    idle(&shop.cache).await;
    seat.gives("after an invalidation overtook it", id, 8, COMPUTED)
        .await;
    seat.expect("runs where one is overtaken", shop.runs() - runs, 2);
}

/// Just before the ttl is over: with `jitter`, for some it is.
async fn spread(table: &Table) {
    let ended = Cell::new((0_u32, 0_u32));
    table
        .each(async |seat| {
            let (_, outcome) = seat.call(primed::SPREAD).await;
            let is_hit = matches!(outcome, Outcome::Hit(_));
            if seat.cell.rules.jitter {
                let (ends, all) = ended.get();
                ended.set((ends + u32::from(!is_hit), all + 1));
            } else {
                seat.expect("a hit before the ttl is over", is_hit, true);
            }
        })
        .await;
    let (ends, all) = ended.get();
    // A sixth of them; none or half of some hundred is no chance that anyone will see.
    if ends == 0 || ends > all / 2 {
        table.tell(format!("`jitter` has ended {ends} of {all} values so far"));
    }
}

/// Past the ttl, within the times of `stale_for` and `stale_if_error`.
async fn stale(seat: &Seat) {
    let (shop, rules) = (&seat.shop, &seat.cell.rules);
    let what = "past the ttl";
    let failures = || shop.cache.stats().failed_refreshes;

    shop.costs(3);
    seat.runs("runs past the ttl", 1, async || {
        if rules.stale_for {
            seat.gives(what, primed::STALE, 1, STALE).await;
        } else {
            seat.gives(what, primed::STALE, 3, COMPUTED).await;
        }
        idle(&shop.cache).await;
        seat.gives("after that", primed::STALE, 3, Hit).await;
    })
    .await;

    shop.breaks(true);
    let what = "past the ttl, where computing fails";
    let failed = failures();
    if rules.stale_for || rules.stale_if_error {
        seat.runs(what, 1, async || {
            seat.gives(what, primed::STALE_FAILS, 1, STALE).await;
        })
        .await;
        if seat.backs_off() {
            seat.runs("runs within the backoff", 0, async || {
                seat.gives("within the backoff", primed::STALE_FAILS, 1, STALE)
                    .await;
            })
            .await;
        }
    } else {
        seat.runs(what, 2, async || {
            seat.fails(what, primed::STALE_FAILS).await;
            seat.fails(what, primed::STALE_FAILS).await;
        })
        .await;
    }
    let failed = failures() - failed;
    seat.expect("failed refreshes", failed, rules.stale_for.into());

    seat.invalidate(Means::Entry, primed::STALE_INVALIDATED)
        .await;
    let what = "past the ttl and invalidated";
    seat.fails(what, primed::STALE_INVALIDATED).await;
    shop.breaks(false);
    seat.gives(what, primed::STALE_INVALIDATED, 3, COMPUTED)
        .await;
    seat.gives(what, primed::STALE_INVALIDATED, 3, Hit).await;

    if rules.stale_for {
        overtaken(seat, primed::STALE_OVERTAKEN, STALE).await;
    } else if !seat.is_sync() {
        let id = primed::STALE_OVERTAKEN;
        let runs = shop.runs();
        shop.breaks(true);
        shop.hold(true);
        let source = async {
            shop.reached(runs + 1).await;
            seat.invalidate(Means::Entry, id).await;
            shop.hold(false);
        };
        let (asked, ()) = tokio::join!(seat.call(id), source);
        seat.is("invalidated while it fails", asked, ERR, COMPUTED);
        shop.breaks(false);
    }

    let what = "past the ttl, where one is put";
    seat.expect(what, seat.peek(primed::STALE_PUT).await, None);
    let value = shop.value(primed::STALE_PUT, 2);
    let put = seat.put(primed::STALE_PUT, Ok(value)).await;
    seat.expect(what, put, Ok(()));
    seat.gives(what, primed::STALE_PUT, 2, Hit).await;
}

/// When the wait after a failure is over.
async fn tried_again(seat: &Seat) {
    let shop = &seat.shop;
    shop.costs(5);
    seat.runs("runs after the backoff", 1, async || {
        let what = "after the backoff";
        if seat.cell.rules.stale_for {
            seat.gives(what, primed::STALE_FAILS, 1, STALE).await;
        } else {
            seat.gives(what, primed::STALE_FAILS, 5, COMPUTED).await;
        }
        idle(&shop.cache).await;
        seat.gives("after that", primed::STALE_FAILS, 5, Hit).await;
    })
    .await;
}

/// What calls get that wait while the clock moves on by `time`, all at once; what they wait for is
/// let go afterwards.
async fn waits(table: &mut Table, calls: &[(usize, u32)], time: Duration) -> Vec<(usize, Asked)> {
    if table.hangs() {
        return Vec::new();
    }
    let tally = table.tally();
    let mut wanted: Vec<(usize, u32)> = Vec::new();
    for &(at, _) in calls {
        let shop = &table.seats[at].shop;
        shop.hold(true);
        let more = calls.iter().filter(|&&(other, _)| other == at).count() as u32;
        wanted.push((at, shop.runs() + more));
    }
    let seats = &table.seats;
    let asked = join_all(
        calls
            .iter()
            .map(async |&(at, id)| (at, seats[at].call(id).await)),
    );
    let clock = async {
        for &(at, runs) in &wanted {
            seats[at].shop.reached(runs).await;
        }
        table.tier.advance(time).await;
    };
    let both = async { tokio::join!(asked, clock).0 };
    let Some(answers) = table.ends(both).await else {
        table.tell(format!("calls that wait for {time:?} hang"));
        return Vec::new();
    };
    for &(at, _) in calls {
        table.seats[at].shop.hold(false);
    }
    idle(&table.tier.cache).await;
    table.count(&tally, "calls that waited");
    table.tier.settle().await;
    answers
}

/// Where computing takes long: with a `soft_timeout`, a value past its ttl.
async fn soft_timeouts(table: &mut Table) {
    let has = |seat: &Seat| seat.cell.rules.soft_timeout;
    let calls: Vec<_> = table.which(has).map(|at| (at, primed::SOFT)).collect();
    table.seats.iter().for_each(|seat| seat.shop.costs(6));
    let before = table.tier.cache.stats();
    let answers = waits(table, &calls, SOFT).await;
    for (at, asked) in answers {
        let seat = &table.seats[at];
        let value = seat.shop.value(primed::SOFT, 1);
        seat.is("after the soft timeout", asked, Ok(value), STALE);
    }
    let now = table.tier.cache.stats();
    let found = (
        now.soft_timeouts - before.soft_timeouts,
        now.refreshed - before.refreshed,
    );
    let all = calls.len() as u64;
    if found != (all, all) {
        table.tell(format!(
            "soft timeouts, and refreshed behind them: expected {all} each, found {found:?}"
        ));
    }
    let is_called = |seat: &Seat| has(seat);
    table
        .each(async |seat| {
            if is_called(seat) {
                seat.gives("after the soft timeout, later", primed::SOFT, 6, Hit)
                    .await;
            }
        })
        .await;
}

/// Where computing takes longer: with a `hard_timeout`, an error, or a value past its ttl.
async fn hard_timeouts(table: &mut Table) {
    let has = |seat: &Seat| seat.cell.rules.hard_timeout;
    // A server that was silent for so long is not believed any more, and nothing stale is served.
    let proves = table.tier.proves;
    let serves = |seat: &Seat| has(seat) && seat.cell.rules.stale_if_error && proves;
    let cold = table.which(has).map(|at| (at, COLD));
    let stale = table.which(serves).map(|at| (at, primed::HARD));
    let calls: Vec<_> = cold.chain(stale).collect();
    table.seats.iter().for_each(|seat| seat.shop.costs(7));
    let answers = waits(table, &calls, HARD).await;
    for ((at, asked), (_, id)) in answers.into_iter().zip(&calls) {
        let seat = &table.seats[at];
        if *id == COLD {
            let late = Err(Broken::Cache(ErrorKind::Timeout));
            let how = Exactly(Outcome::TimedOut);
            seat.is("after the hard timeout", asked, late, how);
        } else {
            let value = seat.shop.value(*id, 1);
            seat.is("after the timeout, with a value", asked, Ok(value), STALE);
        }
    }
    table
        .each(async |seat| {
            if !has(seat) {
                return;
            }
            // The compute went on, or was dropped.
            let how = if seat.cell.rules.background() {
                Hit
            } else {
                COMPUTED
            };
            seat.gives("after the hard timeout, later", COLD, 7, how)
                .await;
        })
        .await;
}

/// Beyond `stale_for`, within `stale_if_error`.
async fn late(seat: &Seat) {
    let (shop, rules) = (&seat.shop, &seat.cell.rules);
    let what = "long past the ttl";
    shop.costs(8);
    seat.gives(what, primed::LATE, 8, COMPUTED).await;
    seat.gives(what, primed::LATE, 8, Hit).await;
    shop.breaks(true);
    if rules.stale_if_error {
        seat.gives(what, primed::LATE_FAILS, 1, STALE).await;
    } else {
        seat.fails(what, primed::LATE_FAILS).await;
    }
    shop.breaks(false);
}

/// Beyond everything.
async fn over(seat: &Seat) {
    let shop = &seat.shop;
    let what = "beyond the grace";
    shop.costs(9);
    shop.breaks(true);
    seat.fails(what, primed::OVER).await;
    shop.breaks(false);
    seat.gives(what, primed::OVER, 9, COMPUTED).await;
    seat.gives(what, primed::OVER, 9, Hit).await;
    seat.gives("stored at the end", LAST, 9, COMPUTED).await;
}

/// A value past its ttl that is served without another look, where the policy has that.
async fn last_stale(seat: &Seat) {
    let (shop, rules) = (&seat.shop, &seat.cell.rules);
    shop.breaks(true);
    if rules.stale_for || rules.stale_if_error {
        seat.gives("past the ttl again", LAST, 9, STALE).await;
    }
}

/// By one of the means that the cell has: of a column, another in each row.
async fn last_invalidated(seat: &Seat) {
    seat.invalidate(seat.last_means(), LAST).await;
}

async fn last_seen(seat: &Seat) {
    let what = format!("past the ttl, invalidated by {:?}", seat.last_means());
    seat.fails(&what, LAST).await;
    seat.shop.breaks(false);
    seat.gives(&what, LAST, 9, COMPUTED).await;
}
