//! The view by itself: what it judges after each way that news can reach it, in order or not.
//! That it never calls current what it was told is outdated, for any history, is in `model`.

use super::*;

mod marks;
mod model;
mod repeats;

const ID: LogId = [1; 16];
const OTHER: LogId = [2; 16];

/// Tags that all fall into one bucket of the table.
fn tag(number: u64) -> TagHash {
    TagHash::from_u64(number + 1).expect("not zero")
}

fn record(version: u64, tags: &[u64]) -> Record {
    let tags = tags.iter().copied().map(tag).collect();
    Record {
        version,
        tags,
        mark: None,
    }
}

/// A view that follows the log `ID` at this head, and knows nothing older.
fn attached(head: u64) -> View {
    let view = View::unattached(false);
    assert!(
        !catch_up(&view, 0, ID, head, 0, &[]),
        "nothing to go on from"
    );
    view
}

/// Applies a catch-up that was sent when the head was `from`.
fn catch_up(view: &View, from: u64, id: LogId, head: u64, floor: u64, records: &[Record]) -> bool {
    let caught = CaughtUp {
        id,
        head,
        floor,
        records: records.to_vec(),
        marks: Some(Vec::new()),
    };
    view.catch_up(from, &caught)
}

fn judge(view: &View, version: u64, tags: &[u64]) -> Judgement {
    let tags: Vec<_> = tags.iter().copied().map(tag).collect();
    view.judge(view.locate(&ID, version), &tags)
}

use Judgement::{Ahead, Current, Outdated, Unknown};

#[test]
fn before_any_log_nothing_is_current() {
    let view = View::unattached(false);
    assert_eq!(view.judge(view.position(), &[]), Outdated);
    assert_eq!(view.judge(Position::NOWHERE, &[]), Outdated);
    assert_eq!(judge(&view, 0, &[]), Outdated);
}

#[test]
fn in_memory_a_record_outdates_what_was_noted_before_it_and_nothing_else() {
    let view = View::in_memory();
    let before = view.position();
    let epoch = view.epoch();
    assert_eq!(view.append(&[tag(1), tag(2)]), 1);
    assert_eq!(view.epoch(), epoch + 2);
    let after = view.position();
    for (at, tags, judgement) in [
        (before, [tag(1)], Outdated),
        (before, [tag(2)], Outdated),
        (before, [tag(3)], Current),
        (after, [tag(1)], Current),
    ] {
        assert_eq!(view.judge(at, &tags), judgement, "{at:?} {tags:?}");
    }
}

#[test]
fn every_change_raises_the_epoch_to_another_even_number() {
    let view = attached(1);
    let mut last = view.epoch();
    let mut rises = |what: &str| {
        let now = view.epoch();
        assert!(
            now > last && now.is_multiple_of(2),
            "{what}: from {last} to {now}"
        );
        last = now;
    };
    view.confirm(&ID, 0, &record(2, &[1]));
    rises("an own record");
    catch_up(&view, 2, ID, 3, 0, &[record(2, &[1]), record(3, &[1])]);
    rises("a catch-up");
    catch_up(&view, 3, ID, 9, 0, &[]);
    rises("a gap");
    view.owe(&[tag(1)]);
    rises("a debt");
    view.settle(&[tag(1)], 10);
    rises("its end");
    view.confirm(&OTHER, 0, &record(1, &[1]));
    rises("another log");
}

#[test]
fn an_own_record_of_another_log_leaves_none_until_a_catch_up() {
    let view = attached(5);
    let before = view.position();
    view.confirm(&OTHER, 0, &record(1, &[1]));
    assert_eq!(view.judge(before, &[tag(2)]), Outdated);
    assert_eq!(view.judge(view.position(), &[tag(2)]), Outdated);
    // The log that was left does not come back as it was.
    assert!(!catch_up(&view, 5, ID, 5, 0, &[record(5, &[])]));
    assert_eq!(view.judge(before, &[tag(2)]), Outdated);
    assert_eq!(judge(&view, 5, &[2]), Current);
    assert_eq!(judge(&view, 4, &[2]), Unknown);
}

#[test]
fn a_put_is_refused_once_a_tag_has_moved() {
    let view = View::in_memory();
    let (noted, own) = (view.position(), tag(9));
    let put = view.append_if(noted, &[tag(1), own], &[own]);
    let at = put.expect("nothing has moved");
    assert_eq!(
        view.judge(at, &[tag(1), own]),
        Current,
        "it stands above its own record"
    );
    assert_eq!(view.judge(noted, &[own]), Outdated, "what it replaces");
    assert_eq!(
        view.append_if(noted, &[tag(1), own], &[own]),
        None,
        "a second one from the same handle"
    );
    view.append(&[tag(1)]);
    assert_eq!(view.append_if(at, &[tag(1)], &[own]), None);
    assert_eq!(view.position().head, 2, "what is refused leaves no record");
}

#[test]
fn a_view_that_starts_late_asks_about_what_is_older() {
    let view = attached(5);
    assert_eq!(judge(&view, 5, &[1]), Current, "it has seen all since");
    assert_eq!(judge(&view, 4, &[1]), Unknown);
    assert_eq!(judge(&view, 6, &[1]), Ahead);
    assert!(catch_up(
        &view,
        5,
        ID,
        6,
        0,
        &[record(5, &[]), record(6, &[1])]
    ));
    assert_eq!(judge(&view, 4, &[1]), Outdated);
    assert_eq!(judge(&view, 5, &[1]), Outdated);
    assert_eq!(judge(&view, 6, &[1]), Current);
    assert_eq!(judge(&view, 4, &[2]), Unknown);
}

#[test]
fn below_the_floor_everything_is_outdated() {
    let view = attached(5);
    assert!(catch_up(
        &view,
        5,
        ID,
        6,
        6,
        &[record(5, &[]), record(6, &[])]
    ));
    assert_eq!(judge(&view, 5, &[]), Outdated);
    assert_eq!(judge(&view, 6, &[]), Current);
}

#[test]
fn a_gap_another_log_or_an_end_too_soon_starts_the_view_anew() {
    for (case, id, head, records) in [
        (
            "the known record is gone",
            ID,
            8,
            vec![record(7, &[]), record(8, &[])],
        ),
        (
            "one is missing",
            ID,
            8,
            vec![record(5, &[]), record(6, &[]), record(8, &[])],
        ),
        (
            "they end too soon",
            ID,
            8,
            vec![record(5, &[]), record(6, &[])],
        ),
        ("there are none", ID, 8, vec![]),
        (
            "another log",
            OTHER,
            6,
            vec![record(5, &[]), record(6, &[])],
        ),
    ] {
        let view = attached(5);
        let before = view.position();
        assert!(!catch_up(&view, 5, id, head, 0, &records), "{case}");
        assert_eq!(view.position().head, head, "{case}");
        let same = id == ID;
        assert_eq!(view.position().log == before.log, same, "{case}");
        let judgement = if same { Unknown } else { Outdated };
        assert_eq!(view.judge(before, &[tag(1)]), judgement, "{case}");
    }
}

#[test]
fn records_beyond_the_head_that_was_read_with_them_count() {
    let view = attached(5);
    assert!(catch_up(
        &view,
        5,
        ID,
        5,
        0,
        &[record(5, &[]), record(6, &[1])]
    ));
    assert_eq!(judge(&view, 5, &[1]), Outdated);
    assert_eq!(view.position().head, 6);
}

#[test]
fn a_head_that_is_known_already_needs_no_records() {
    let view = attached(5);
    assert!(
        catch_up(&view, 5, ID, 5, 0, &[]),
        "evicted, but none is missing"
    );
    assert_eq!(judge(&view, 5, &[1]), Current);
}

#[test]
fn an_own_record_above_a_gap_counts_and_leaves_the_head_below_it() {
    let view = attached(5);
    view.confirm(&ID, 0, &record(7, &[1]));
    assert_eq!(view.position().head, 5, "6 has not been seen");
    assert_eq!(judge(&view, 5, &[1]), Outdated);
    assert_eq!(judge(&view, 5, &[2]), Current);
    let read = [record(5, &[]), record(6, &[2]), record(7, &[1])];
    assert!(catch_up(&view, 5, ID, 7, 0, &read));
    assert_eq!(judge(&view, 5, &[2]), Outdated);
    assert_eq!(judge(&view, 7, &[1, 2]), Current);
}

#[test]
fn a_catch_up_that_was_read_before_an_own_record_does_not_take_it_back() {
    let view = attached(5);
    let noted = view.position();
    // Read at 5; before it is applied, this process appends and acknowledges 6.
    view.confirm(&ID, 0, &record(6, &[1]));
    catch_up(&view, 5, ID, 5, 0, &[record(5, &[])]);
    assert_ne!(view.judge(noted, &[tag(1)]), Current);
    assert_eq!(
        view.position().head,
        6,
        "nothing is missing, so nothing is lost"
    );
}

#[test]
fn a_gap_does_not_take_back_an_own_record_above_it() {
    let view = attached(5);
    let noted = view.position();
    view.confirm(&ID, 0, &record(9, &[1]));
    assert!(!catch_up(&view, 5, ID, 8, 0, &[]));
    assert_ne!(judge(&view, 8, &[1]), Current);
    assert_ne!(view.judge(noted, &[tag(1)]), Current);
}

#[test]
fn an_answer_is_kept_unless_the_view_has_moved_past_it() {
    let answer = |head, version| Answer {
        id: ID,
        head,
        floor: 0,
        versions: vec![version],
    };
    let view = attached(5);
    view.learn(&[tag(1)], &answer(5, 3));
    assert_eq!(judge(&view, 2, &[1]), Outdated);
    assert_eq!(judge(&view, 3, &[1]), Current, "known exactly now");
    assert_eq!(judge(&view, 3, &[1, 2]), Unknown);
    view.learn(&[tag(2)], &answer(4, 0));
    assert_eq!(judge(&view, 3, &[2]), Unknown, "asked before 5");
    let other = Answer {
        id: OTHER,
        ..answer(9, 0)
    };
    view.learn(&[tag(2)], &other);
    assert_eq!(judge(&view, 3, &[2]), Unknown, "another log's");
}

#[test]
fn an_answer_judges_alone() {
    let answer = Answer {
        id: ID,
        head: 7,
        floor: 3,
        versions: vec![5, 0],
    };
    for (id, version, judgement) in [
        (ID, 2, Outdated),
        (ID, 4, Outdated),
        (ID, 5, Current),
        (ID, 7, Current),
        (ID, 8, Outdated),
        (OTHER, 6, Outdated),
    ] {
        assert_eq!(answer.judge(&id, version), judgement, "{id:?} {version}");
    }
}

#[test]
fn what_is_owed_is_not_current_until_the_last_debt_lands() {
    let view = attached(5);
    view.owe(&[tag(1), tag(2)]);
    view.owe(&[tag(1)]);
    assert_eq!(view.owed(), 2);
    assert_eq!(judge(&view, 5, &[1]), Outdated);
    // Neither news, nor an answer, nor a gap ends a debt.
    assert!(catch_up(
        &view,
        5,
        ID,
        6,
        0,
        &[record(5, &[]), record(6, &[1])]
    ));
    let answer = Answer {
        id: ID,
        head: 6,
        floor: 0,
        versions: vec![6],
    };
    view.learn(&[tag(1)], &answer);
    assert_eq!(judge(&view, 6, &[1]), Outdated);
    catch_up(&view, 6, ID, 20, 0, &[]);
    assert_eq!(judge(&view, 20, &[1]), Outdated);
    view.settle(&[tag(1), tag(2)], 21);
    assert_eq!(judge(&view, 20, &[1]), Outdated, "one debt is left");
    view.confirm(&ID, 0, &record(21, &[]));
    assert_eq!(judge(&view, 21, &[2]), Current);
    assert_eq!(judge(&view, 20, &[2]), Outdated);
    view.settle(&[tag(1)], 21);
    assert_eq!(judge(&view, 21, &[1]), Current);
    assert_eq!(view.owed(), 0);
}

#[test]
fn a_debt_that_lands_does_not_take_back_a_later_record_of_its_tag() {
    let view = attached(5);
    view.owe(&[tag(1)]);
    // The debt is appended as 6; before that is applied, another call's record 7 is.
    let read = [record(5, &[]), record(6, &[1]), record(7, &[1])];
    assert!(catch_up(&view, 5, ID, 7, 0, &read));
    view.settle(&[tag(1)], 6);
    assert_eq!(judge(&view, 6, &[1]), Outdated);
    assert_eq!(judge(&view, 7, &[1]), Current);
}

#[test]
fn a_bucket_full_of_debts_is_made_usable_again_without_forgetting_them() {
    let view = attached(5);
    let many: Vec<_> = (0..12).map(tag).collect();
    view.owe(&many);
    assert_eq!(judge(&view, 5, &[11]), Outdated);
    assert_eq!(
        judge(&view, 5, &[99]),
        Outdated,
        "shut out with its neighbours"
    );
    let all: Vec<_> = (0..12).collect();
    // 6 to 8 have not been seen yet.
    view.confirm(&ID, 0, &record(9, &all));
    view.settle(&many, 9);
    for owed in all {
        assert_ne!(judge(&view, 5, &[owed]), Current, "{owed}");
    }
    let read = (5..=9).map(|version| record(version, &[]));
    assert!(catch_up(&view, 5, ID, 9, 0, &read.collect::<Vec<_>>()));
    assert_eq!(judge(&view, 9, &[99, 11]), Current);
}

#[test]
fn what_no_longer_fits_is_thought_older_than_it_is_never_newer() {
    let view = View::in_memory();
    let start = view.position();
    for number in 0..9 {
        view.append(&[tag(number)]);
    }
    // Nine tags in a bucket of eight: the first was folded at version 1.
    assert_eq!(view.judge(start, &[tag(0)]), Outdated);
    assert_eq!(view.judge(start, &[tag(50)]), Outdated, "imprecise");
    let at = Position { head: 1, ..start };
    assert_eq!(view.judge(at, &[tag(0)]), Current);
    assert_eq!(view.judge(at, &[tag(50)]), Current);
    assert_eq!(view.judge(at, &[tag(8)]), Outdated);
}

#[test]
fn a_follower_takes_what_moved_only_after_it_joined() {
    let view = View::in_memory();
    let start = view.position();
    assert!(view.accepts(start, start, &[tag(1)], None));
    view.append(&[tag(1)]);
    let later = view.position();
    assert!(
        view.accepts(start, start, &[tag(1)], None),
        "it moved after the joining"
    );
    assert!(
        !view.accepts(start, later, &[tag(1)], None),
        "it moved before the joining, and the flight started earlier still"
    );
    assert!(
        view.accepts(later, later, &[tag(1)], None),
        "the flight noted its head after the joining"
    );
    view.append(&[tag(2)]);
    let last = view.position();
    assert!(
        view.accepts(later, last, &[tag(1)], None),
        "another tag moved"
    );
    assert!(
        !view.accepts(later, last, &[tag(1), tag(2)], Some(&[tag(1)])),
        "a tag known only from the result moved"
    );
    view.append(&[tag(1)]);
    assert!(
        view.accepts(later, last, &[tag(1)], Some(&[tag(1)])),
        "tested at the joining, moved since"
    );
    assert!(
        !view.accepts(later, last, &[tag(1)], None),
        "when it moved is not known"
    );
    assert!(!view.accepts(Position::NOWHERE, last, &[], None));
}

#[test]
fn trust_needs_both_clocks_and_only_grows() {
    let at = |monotonic, wall| Instant { monotonic, wall };
    let view = View::unattached(false);
    assert!(!view.is_trusted(0, || 0));
    view.trust_until(at(10, 110));
    assert!(view.is_trusted(9, || 109));
    assert!(!view.is_trusted(10, || 109));
    assert!(!view.is_trusted(9, || 110), "suspended meanwhile");
    view.trust_until(at(5, 110));
    assert!(view.is_trusted(9, || 109));
}

#[test]
fn an_own_acknowledged_move_of_an_owed_tag_is_not_hidden_by_the_debt() {
    let view = View::unattached(false);
    let id = [1; 16];
    view.follow(id, 5, 0, &[]);
    let tags = [tag(1)];
    view.owe(&tags);
    let (owes, at) = (view.owes(), view.position());
    assert!(view.admits_unattached(at, owes, &tags), "the debt is older");
    let record = Record {
        version: 6,
        tags: tags.to_vec(),
        mark: None,
    };
    view.confirm(&id, 0, &record);
    assert!(!view.admits_unattached(at, owes, &tags));
}
