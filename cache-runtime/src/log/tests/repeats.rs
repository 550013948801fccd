//! What one log has acknowledged to this process, in the view of another: it is owed there from the
//! first moment. That it is appended is the shared tier's.

use super::*;

/// A view with own records of these tags, which the log `ID` has acknowledged.
fn acknowledged(numbers: &[u64]) -> View {
    let view = attached(1);
    for (version, &number) in (2..).zip(numbers) {
        view.confirm(&ID, 0, &record(version, &[number]));
    }
    view
}

fn repeats(view: &View) -> Vec<TagHash> {
    let mut repeats = view.take_repeats();
    repeats.sort_unstable_by_key(|tag| tag.get());
    repeats
}

#[test]
fn what_another_log_has_acknowledged_is_owed_until_it_is_repeated() {
    let view = acknowledged(&[1, 2, 1]);
    view.follow(OTHER, 7, 0, &[]);
    assert_eq!(view.owed(), 2);
    let stored = |head, number| {
        let at = view.locate(&OTHER, head);
        view.judge(at, &[tag(number)])
    };
    assert_eq!(stored(7, 1), Outdated, "it was computed there before");
    assert_eq!(stored(7, 3), Current);
    let tags = repeats(&view);
    assert_eq!(tags, [tag(1), tag(2)]);
    assert_eq!(repeats(&view), [], "once");
    view.confirm(&OTHER, 0, &record(8, &[1, 2]));
    view.settle(&tags, 8);
    assert_eq!(view.owed(), 0);
    assert_eq!(stored(7, 1), Outdated);
    assert_eq!(stored(8, 1), Current);
    // From here on it is this log that has acknowledged them.
    view.follow(OTHER, 8, 0, &[]);
    assert_eq!(repeats(&view), []);
    view.follow(ID, 9, 0, &[]);
    assert_eq!(repeats(&view), tags);
}

#[test]
fn a_log_that_was_left_and_is_found_again_is_told_nothing_twice() {
    let view = acknowledged(&[1]);
    // A gap, and the view starts anew.
    assert!(!catch_up(&view, 2, ID, 9, 0, &[]));
    assert_eq!((view.owed(), repeats(&view)), (0, vec![]));
    // An answer of another log's, and this one again: what that one said is due here.
    view.confirm(&OTHER, 0, &record(1, &[2]));
    assert_eq!(view.owed(), 0, "no log is followed");
    assert!(!catch_up(&view, 9, ID, 9, 0, &[]));
    assert_eq!((view.owed(), repeats(&view)), (1, vec![tag(2)]));
}

#[test]
fn an_answer_that_comes_after_the_next_log_is_followed_is_not_lost() {
    let view = attached(1);
    view.follow(OTHER, 7, 0, &[]);
    assert_eq!(repeats(&view), []);
    view.confirm(&ID, 0, &record(2, &[1]));
    assert_eq!(view.judge(view.locate(&OTHER, 7), &[tag(1)]), Outdated);
    view.follow(OTHER, 7, 0, &[]);
    assert_eq!(view.judge(view.locate(&OTHER, 7), &[tag(1)]), Outdated);
    assert_eq!(repeats(&view), [tag(1)]);
}

#[test]
fn what_is_owed_twice_is_owed_until_both_have_landed() {
    let view = acknowledged(&[1]);
    view.owe(&[tag(1)]);
    view.follow(OTHER, 7, 0, &[]);
    view.settle(&repeats(&view), 8);
    assert_eq!(view.owed(), 1);
    view.settle(&[tag(1)], 9);
    assert_eq!(view.owed(), 0);
    assert_eq!(view.judge(view.locate(&OTHER, 8), &[tag(1)]), Outdated);
}
