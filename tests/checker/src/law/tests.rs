//! The law on histories written by hand: those that keep the promise, and each way to break it.

use super::*;

const SECOND: Nanos = 1_000_000_000;

/// Changes that begin at 10, 20, 30, …, and what was acknowledged: number, time, cache.
fn cell(changes: u64, given: &[(u64, Nanos, usize)], windows: &Windows) -> Cell {
    let given = given
        .iter()
        .map(|&(number, at, cache)| Given { number, at, cache });
    let begun = (1..=changes).map(|number| 10 * number).collect();
    Cell::new(begun, given.collect(), windows)
}

fn look(promise: Promise, value: u64, start: Nanos, end: Nanos) -> Look {
    Look {
        promise,
        cache: 7,
        value,
        start,
        end,
    }
}

fn strict(cell: &Cell, value: u64, start: Nanos, end: Nanos) -> Verdict {
    cell.judge(
        &look(Promise::Strict, value, start, end),
        &Windows::default(),
    )
}

fn bounded(cell: &Cell, value: u64, start: Nanos, end: Nanos) -> Verdict {
    cell.judge(
        &look(Promise::Bounded, value, start, end),
        &Windows::default(),
    )
}

#[test]
fn what_was_never_acknowledged_may_be_missed_or_seen() {
    let cell = cell(2, &[], &Windows::default());
    for value in 0..=2 {
        assert_eq!(strict(&cell, value, 100, 200), Verdict::Kept, "{value}");
    }
}

#[test]
fn what_was_acknowledged_before_is_not_missed() {
    let cell = cell(2, &[(1, 15, 0)], &Windows::default());
    assert_eq!(strict(&cell, 0, 14, 90), Verdict::Kept);
    assert_eq!(strict(&cell, 0, 15, 90), Verdict::Kept, "at the same time");
    assert_eq!(strict(&cell, 0, 16, 90), Verdict::Stale(15));
    assert_eq!(strict(&cell, 1, 16, 90), Verdict::Kept);
}

#[test]
fn an_acknowledgement_covers_the_numbers_before() {
    let cell = cell(3, &[(3, 35, 0), (1, 90, 0)], &Windows::default());
    assert_eq!(strict(&cell, 1, 36, 40), Verdict::Stale(35));
    assert_eq!(strict(&cell, 3, 95, 99), Verdict::Kept);
}

#[test]
fn of_two_acknowledgements_the_earlier_counts() {
    for given in [[(1, 15, 0), (1, 50, 2)], [(1, 50, 2), (1, 15, 0)]] {
        let cell = cell(1, &given, &Windows::default());
        assert_eq!(strict(&cell, 0, 16, 90), Verdict::Stale(15));
    }
}

#[test]
fn nothing_is_read_before_it_is_written() {
    let cell = cell(2, &[], &Windows::default());
    assert_eq!(strict(&cell, 2, 0, 19), Verdict::Future(Some(20)));
    assert_eq!(strict(&cell, 2, 0, 20), Verdict::Kept, "at the same time");
    assert_eq!(strict(&cell, 3, 0, 99), Verdict::Future(None));
}

#[test]
fn bounded_may_miss_others_for_a_time() {
    let cell = cell(1, &[(1, SECOND, 0)], &Windows::default());
    let late = SECOND + TRUST;
    assert_eq!(bounded(&cell, 0, SECOND, late), Verdict::Kept);
    assert_eq!(bounded(&cell, 0, late, late), Verdict::Older(TRUST));
    assert_eq!(
        bounded(&cell, 0, late + 1, late + 1),
        Verdict::Stale(SECOND)
    );
    assert_eq!(bounded(&cell, 1, late + 1, late + 1), Verdict::Kept);
}

#[test]
fn bounded_misses_nothing_of_its_own() {
    let cell = cell(
        3,
        &[(1, 15, 0), (2, 25, 7), (3, 35, 0)],
        &Windows::default(),
    );
    assert_eq!(bounded(&cell, 1, 25, 26), Verdict::Kept);
    assert_eq!(bounded(&cell, 1, 26, 26), Verdict::Stale(25));
    // Its own covers what others had been told before.
    assert_eq!(bounded(&cell, 0, 26, 26), Verdict::Stale(15));
    assert_eq!(bounded(&cell, 2, 40, 40), Verdict::Older(5));
}

#[test]
fn a_window_excuses_what_overlaps_it_and_the_trust_after_it() {
    let windows = Windows(vec![(10 * SECOND, 11 * SECOND)]);
    let cell = cell(1, &[(1, 15, 0)], &windows);
    let judge = |start, end| cell.judge(&look(Promise::Strict, 0, start, end), &windows);
    let over = 11 * SECOND + TRUST;
    assert_eq!(judge(9 * SECOND, 10 * SECOND - 1), Verdict::Stale(15));
    assert_eq!(judge(9 * SECOND, 10 * SECOND), Verdict::Excused);
    assert_eq!(judge(over, over), Verdict::Excused);
    assert_eq!(judge(over + 1, over + 1), Verdict::Stale(15));
    // What has not been written is not excused.
    let future = cell.judge(&look(Promise::Strict, 2, over, over), &windows);
    assert_eq!(future, Verdict::Future(None));
}

#[test]
fn what_was_acknowledged_in_a_window_may_be_lost() {
    // Change 1 begins at 10, change 2 at 20.
    let windows = Windows(vec![(12, 13)]);
    let late = 100 * SECOND;
    let judge = |given: &[(u64, Nanos, usize)]| {
        let cell = cell(2, given, &windows);
        cell.judge(&look(Promise::Strict, 0, late, late), &windows)
    };
    assert_eq!(
        judge(&[(1, 15, 0)]),
        Verdict::Excused,
        "asked for before its end"
    );
    assert_eq!(judge(&[(1, 11, 0)]), Verdict::Stale(11), "given before it");
    // Also where it was given to the cache that reads.
    let bounded = |at| {
        let cell = cell(2, &[(1, at, 7)], &windows);
        cell.judge(&look(Promise::Bounded, 0, late, late), &windows)
    };
    assert_eq!(bounded(15), Verdict::Excused);
    assert_eq!(bounded(11), Verdict::Stale(11));
    // The one that came after it is no less missed.
    assert_eq!(judge(&[(1, 15, 0), (2, 25, 0)]), Verdict::Stale(15));
}
