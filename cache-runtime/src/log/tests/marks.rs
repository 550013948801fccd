//! Marks in the view: what they hold back, by which news they come and go, and what is left where
//! they stood. That they are placed and renewed is the shared tier's.

use super::*;

const ONE: MarkId = [7; 16];
const TWO: MarkId = [8; 16];

fn tags(numbers: &[u64]) -> Vec<TagHash> {
    numbers.iter().copied().map(tag).collect()
}

fn mark(id: MarkId, deadline: Millis, numbers: &[u64]) -> Mark {
    Mark {
        id,
        deadline,
        tags: tags(numbers),
    }
}

/// The record of a mark's placing.
fn placed(version: u64, id: MarkId, numbers: &[u64]) -> Record {
    Record {
        version,
        tags: Vec::new(),
        mark: Some(Marking::Placed(mark(id, 1_000, numbers))),
    }
}

/// The record that ends a mark, and moves these tags.
fn ended(version: u64, id: MarkId, numbers: &[u64]) -> Record {
    Record {
        version,
        tags: tags(numbers),
        mark: Some(Marking::Ended(vec![id])),
    }
}

/// A catch-up after a gap, or of another log, that found these marks.
fn start_anew(view: &View, id: LogId, head: u64, marks: &[Mark]) {
    let caught = CaughtUp {
        id,
        head,
        floor: 0,
        records: Vec::new(),
        marks: Some(marks.to_vec()),
    };
    let from = view.identity().map_or(0, |(_, at)| at.head);
    assert!(!view.catch_up(from, &caught), "nothing to go on from");
}

/// Where `ONE` stands on 1 and 2, placed as record 6.
fn marked() -> View {
    let view = attached(5);
    view.confirm(&ID, 0, &placed(6, ONE, &[1, 2]));
    view
}

#[test]
fn while_a_mark_stands_nothing_with_its_tags_is_current_whatever_its_version() {
    let view = marked();
    assert_eq!(view.marks(), 1);
    assert_eq!(view.position().head, 6, "placing it is a record");
    for version in [5, 6] {
        assert_eq!(judge(&view, version, &[1]), Outdated);
        assert_eq!(judge(&view, version, &[3, 2]), Outdated);
        assert_eq!(judge(&view, version, &[3]), Current, "not among its tags");
    }
    assert!(view.holds_any(&tags(&[3, 1])));
    assert!(!view.holds_any(&tags(&[3])));
    assert_eq!(view.owed(), 0, "a mark is no debt");
}

#[test]
fn another_process_s_mark_comes_and_goes_with_its_records() {
    let view = attached(5);
    let epoch = view.epoch();
    let read = [record(5, &[]), placed(6, ONE, &[1])];
    assert!(catch_up(&view, 5, ID, 6, 0, &read));
    assert!(view.epoch() > epoch, "what was judged is judged again");
    assert_eq!(judge(&view, 6, &[1]), Outdated);
    let epoch = view.epoch();
    let read = [placed(6, ONE, &[1]), ended(7, ONE, &[1])];
    assert!(catch_up(&view, 6, ID, 7, 0, &read));
    assert!(view.epoch() > epoch);
    assert_eq!(view.marks(), 0);
    assert_eq!(judge(&view, 6, &[1]), Outdated, "computed under the mark");
    assert_eq!(judge(&view, 7, &[1]), Current);
    assert!(!view.holds_any(&tags(&[1])));
}

#[test]
fn its_own_append_ends_a_mark_and_moves_its_tags() {
    let view = marked();
    view.confirm(&ID, 0, &ended(7, ONE, &[1, 2]));
    assert_eq!(view.marks(), 0);
    for number in [1, 2] {
        assert_eq!(judge(&view, 6, &[number]), Outdated);
        assert_eq!(judge(&view, 7, &[number]), Current);
    }
}

#[test]
fn the_end_of_a_mark_moves_its_tags_even_where_its_record_names_none() {
    // As a debt of many tags is paid: they move in records of their own before.
    let view = marked();
    view.confirm(&ID, 0, &ended(7, ONE, &[]));
    assert_eq!(judge(&view, 6, &[2]), Outdated);
    assert_eq!(judge(&view, 7, &[2]), Current);
}

#[test]
fn a_mark_that_another_process_ended_is_ended_here_once() {
    let view = marked();
    let read = [placed(6, ONE, &[1, 2]), ended(7, ONE, &[1, 2])];
    assert!(catch_up(&view, 6, ID, 7, 0, &read));
    // Its holder, who had been held up, ends it too.
    view.confirm(&ID, 0, &ended(8, ONE, &[1, 2]));
    assert_eq!(view.marks(), 0);
    assert_eq!(judge(&view, 7, &[1]), Outdated);
    assert_eq!(judge(&view, 8, &[1]), Current);
}

#[test]
fn a_mark_is_over_after_its_deadline_and_not_before() {
    let view = marked();
    assert_eq!(view.marks_over(1_000), []);
    assert_eq!(view.marks_over(1_001), [mark(ONE, 1_000, &[1, 2])]);
    assert_eq!(
        judge(&view, 6, &[1]),
        Outdated,
        "only a record ends it, not the time"
    );
}

#[test]
fn an_extended_mark_is_over_later_and_never_sooner() {
    let view = marked();
    view.extend_mark(&ONE, 3_000);
    view.extend_mark(&ONE, 2_000);
    view.extend_mark(&TWO, 9_000);
    assert_eq!(view.marks_over(3_000), []);
    assert_eq!(view.marks_over(3_001), [mark(ONE, 3_000, &[1, 2])]);
    // Placed once more, it is still one mark.
    view.confirm(&ID, 0, &placed(7, ONE, &[1, 2]));
    assert_eq!(view.marks_over(3_000), [], "nor by an older placing");
    view.confirm(&ID, 0, &ended(8, ONE, &[1, 2]));
    assert_eq!(judge(&view, 8, &[1]), Current);
}

#[test]
fn two_marks_on_one_tag_end_one_by_one() {
    let view = marked();
    view.confirm(&ID, 0, &placed(7, TWO, &[2, 3]));
    assert_eq!(view.marks(), 2);
    view.confirm(&ID, 0, &ended(8, ONE, &[1, 2]));
    assert_eq!(judge(&view, 8, &[1]), Current);
    assert_eq!(judge(&view, 8, &[2]), Outdated, "the other one stands");
    assert_eq!(judge(&view, 8, &[3]), Outdated);
    view.confirm(&ID, 0, &ended(9, TWO, &[]));
    assert_eq!(judge(&view, 8, &[2]), Outdated);
    assert_eq!(judge(&view, 9, &[2, 3]), Current);
}

#[test]
fn a_mark_and_a_debt_on_one_tag_end_one_by_one() {
    for debt_first in [true, false] {
        let view = marked();
        view.owe(&tags(&[1]));
        assert_eq!((view.marks(), view.owed()), (1, 1));
        if debt_first {
            view.confirm(&ID, 0, &record(7, &[1]));
            view.settle(&tags(&[1]), 7);
            assert_eq!(view.owed(), 0);
        } else {
            view.confirm(&ID, 0, &ended(7, ONE, &[1, 2]));
            assert_eq!(view.marks(), 0);
        }
        assert_eq!(judge(&view, 7, &[1]), Outdated, "{debt_first}");
        if debt_first {
            view.confirm(&ID, 0, &ended(8, ONE, &[1, 2]));
        } else {
            view.confirm(&ID, 0, &record(8, &[1]));
            view.settle(&tags(&[1]), 8);
        }
        assert_eq!(judge(&view, 7, &[1]), Outdated, "{debt_first}");
        assert_eq!(judge(&view, 8, &[1]), Current, "{debt_first}");
    }
}

#[test]
fn a_move_under_a_mark_is_not_forgotten_when_the_mark_ends_below_it() {
    let view = marked();
    // An own record above the gap that the mark's end is in.
    view.confirm(&ID, 0, &record(9, &[1]));
    view.confirm(&ID, 0, &ended(7, ONE, &[1, 2]));
    assert_ne!(judge(&view, 8, &[1]), Current);
    let read = [ended(7, ONE, &[1, 2]), record(8, &[]), record(9, &[1])];
    assert!(catch_up(&view, 7, ID, 9, 0, &read));
    assert_eq!(judge(&view, 8, &[1]), Outdated);
    assert_eq!(judge(&view, 8, &[2]), Current);
    assert_eq!(judge(&view, 9, &[1]), Current);
}

#[test]
fn a_mark_that_still_stands_after_a_gap_holds_on() {
    let view = marked();
    start_anew(&view, ID, 20, &[mark(ONE, 5_000, &[1, 2])]);
    assert_eq!(view.marks(), 1);
    assert_eq!(judge(&view, 20, &[1]), Outdated);
    assert_eq!(view.marks_over(5_000), [], "extended unseen");
    view.confirm(&ID, 0, &ended(21, ONE, &[1, 2]));
    assert_eq!(judge(&view, 20, &[1]), Outdated);
    assert_eq!(judge(&view, 21, &[1]), Current);
}

#[test]
fn a_mark_that_ended_in_a_gap_is_let_go_at_the_head_that_was_read() {
    let view = marked();
    view.owe(&tags(&[2]));
    start_anew(&view, ID, 20, &[]);
    assert_eq!(view.marks(), 0);
    assert_ne!(judge(&view, 19, &[1]), Current);
    assert_eq!(judge(&view, 20, &[1]), Current, "it moved below this");
    assert_eq!(judge(&view, 20, &[2]), Outdated, "still owed");
    view.settle(&tags(&[2]), 20);
    assert_eq!(judge(&view, 20, &[2]), Current);
}

#[test]
fn a_mark_that_was_placed_in_a_gap_holds_from_then_on() {
    let view = attached(5);
    start_anew(&view, ID, 20, &[mark(TWO, 5_000, &[1])]);
    assert_eq!(judge(&view, 20, &[1]), Outdated);
    assert_eq!(judge(&view, 20, &[2]), Current);
    // And for a view that has just attached.
    let late = View::unattached(false);
    late.follow(ID, 20, 0, &[mark(TWO, 5_000, &[1])]);
    assert_eq!(judge(&late, 20, &[1]), Outdated);
    assert_eq!(judge(&late, 20, &[2]), Current);
}

#[test]
fn a_gap_whose_marks_were_not_read_leaves_no_log() {
    let view = marked();
    let caught = CaughtUp {
        id: ID,
        head: 20,
        floor: 0,
        records: Vec::new(),
        marks: None,
    };
    assert!(!view.catch_up(6, &caught));
    assert_eq!(view.identity(), None);
    assert_eq!(view.judge(view.position(), &[]), Outdated);
    view.follow(ID, 20, 0, &[mark(ONE, 5_000, &[1, 2])]);
    assert_eq!(judge(&view, 20, &[1]), Outdated);
    assert_eq!(judge(&view, 20, &[3]), Current);
}

#[test]
fn a_mark_outlives_the_log_that_it_was_placed_in() {
    let view = marked();
    start_anew(&view, OTHER, 3, &[]);
    let judge = |view: &View, version, numbers: &[u64]| {
        view.judge(view.locate(&OTHER, version), &tags(numbers))
    };
    assert_eq!(view.marks(), 1, "its holder may not have heard of this log");
    assert_eq!(judge(&view, 3, &[1]), Outdated);
    assert_eq!(judge(&view, 3, &[3]), Current);
    // Its holder places it again, and ends it.
    view.confirm(&OTHER, 0, &placed(4, ONE, &[1, 2]));
    assert_eq!(view.marks(), 1);
    view.confirm(&OTHER, 0, &ended(5, ONE, &[1, 2]));
    assert_eq!(view.marks(), 0);
    assert_eq!(judge(&view, 4, &[1]), Outdated);
    assert_eq!(judge(&view, 5, &[1]), Current);
}

#[test]
fn a_mark_of_a_log_that_is_gone_ends_after_its_deadline() {
    let view = marked();
    start_anew(&view, OTHER, 3, &[]);
    assert_eq!(view.marks_over(1_001).len(), 1);
    view.confirm(&OTHER, 0, &ended(4, ONE, &[1, 2]));
    assert_eq!(view.marks(), 0);
    let at = view.locate(&OTHER, 4);
    assert_eq!(view.judge(at, &tags(&[1, 2])), Current);
}

#[test]
fn placing_a_mark_in_a_log_that_has_just_begun_holds_at_once() {
    let view = attached(5);
    view.confirm(&OTHER, 0, &placed(1, ONE, &[1]));
    assert_eq!(view.marks(), 1);
    assert_eq!(view.judge(view.position(), &[]), Outdated, "no log as yet");
    view.follow(OTHER, 1, 0, &[mark(ONE, 1_000, &[1])]);
    let at = view.locate(&OTHER, 1);
    assert_eq!(view.judge(at, &tags(&[1])), Outdated);
    assert_eq!(view.judge(at, &tags(&[2])), Current);
}

#[test]
fn ending_a_mark_in_a_log_that_has_just_begun_lets_go_at_once() {
    let view = marked();
    view.confirm(&OTHER, 0, &ended(1, ONE, &[1, 2]));
    assert_eq!(view.marks(), 0);
    view.follow(OTHER, 1, 0, &[]);
    let at = view.locate(&OTHER, 1);
    assert_eq!(view.judge(at, &tags(&[1, 2])), Current);
}

#[test]
fn an_answer_neither_ends_a_mark_nor_begins_one() {
    let answer = |versions: &[u64]| Answer {
        id: ID,
        head: 6,
        floor: 0,
        versions: versions.to_vec(),
    };
    let view = marked();
    view.learn(&tags(&[1]), &answer(&[3]));
    assert_eq!(
        judge(&view, 6, &[1]),
        Outdated,
        "asked before it was placed"
    );
    view.learn(&tags(&[3]), &answer(&[HELD]));
    assert_eq!(judge(&view, 6, &[3]), Current, "its record is on its way");
    assert_eq!(answer(&[HELD]).judge(&ID, 6), Outdated, "but not by itself");
    // What was learnt under the mark counts once it has ended.
    view.learn(&tags(&[1]), &answer(&[5]));
    view.confirm(&ID, 0, &ended(7, ONE, &[1, 2]));
    assert_eq!(judge(&view, 6, &[1]), Outdated);
    assert_eq!(judge(&view, 7, &[1]), Current);
}

#[test]
fn a_bucket_full_of_marked_tags_is_made_usable_again() {
    for by_catching_up in [true, false] {
        let view = attached(5);
        let many: Vec<_> = (0..12).collect();
        view.confirm(&ID, 0, &placed(6, ONE, &many));
        for number in many.iter().copied().chain([99]) {
            assert_eq!(judge(&view, 6, &[number]), Outdated, "{number}");
        }
        let end = ended(7, ONE, &many);
        if by_catching_up {
            let read = [placed(6, ONE, &many), end];
            assert!(catch_up(&view, 6, ID, 7, 0, &read));
        } else {
            view.confirm(&ID, 0, &end);
        }
        assert_eq!(judge(&view, 7, &[99, 11]), Current, "{by_catching_up}");
        for number in many {
            assert_ne!(judge(&view, 6, &[number]), Current, "{number}");
        }
    }
}
