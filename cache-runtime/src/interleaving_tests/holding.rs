//! Tags that are owed or under a mark: nothing that carries one is current, however what holds it
//! comes and goes beside those who judge.

use std::sync::Arc;

use super::explore;
use super::oracle::{ID, Source, Threads, attached, caught_up, entry, record, tag};
use crate::log::{Judgement, Mark, Marking, Record, View};

const MARK: [u8; 16] = [7; 16];

fn placed(version: u64) -> Record {
    let mark = Mark {
        id: MARK,
        deadline: 100,
        tags: vec![tag(1)],
    };
    Record {
        mark: Some(Marking::Placed(mark)),
        ..record(version, &[])
    }
}

fn ended(version: u64) -> Record {
    Record {
        mark: Some(Marking::Ended(vec![MARK])),
        ..record(version, &[tag(1)])
    }
}

/// Judges, again and again, an entry of before what holds its tag. From the moment on at which it
/// is held, it is not current.
fn judge(threads: &mut Threads, view: &Arc<View>, source: &Arc<Source>) {
    let kept = Arc::new(entry(0, view.position(), &[tag(2), tag(1)]));
    for _ in 0..2 {
        let (view, source) = (Arc::clone(view), Arc::clone(source));
        let kept = Arc::clone(&kept);
        threads.start(move || {
            for _ in 0..2 {
                let least = source.least();
                assert!(!(kept.is_current(&view) && least > 0));
            }
        });
    }
}

#[test]
fn what_is_owed_is_not_current() {
    explore("what_is_owed_is_not_current", || {
        let (view, source) = (attached(5), Arc::new(Source::default()));
        let mut threads = Threads::new();
        judge(&mut threads, &view, &source);
        let ower = Arc::clone(&view);
        threads.start(move || {
            ower.owe(&[tag(1)]);
            source.acknowledge(1);
            ower.settle(&[tag(1)], 6);
        });
        threads.join();
        assert_eq!(view.owed(), 0);
    });
}

#[test]
fn what_is_under_a_mark_is_not_current() {
    explore("what_is_under_a_mark_is_not_current", || {
        let (view, source) = (attached(5), Arc::new(Source::default()));
        let mut threads = Threads::new();
        judge(&mut threads, &view, &source);
        let marker = Arc::clone(&view);
        threads.start(move || {
            let records = vec![record(5, &[]), placed(6)];
            marker.catch_up(5, &caught_up(6, 0, records, Vec::new()));
            source.acknowledge(1);
            marker.confirm(&ID, 0, &ended(7));
        });
        threads.join();
        assert_eq!(view.marks(), 0);
        let at = view.position();
        assert_eq!(view.judge(at, &[tag(1)]), Judgement::Current);
    });
}

/// One ends before the other, and the tag is free only then.
#[test]
fn a_debt_and_a_mark_on_one_tag_both_hold_it() {
    explore("a_debt_and_a_mark_on_one_tag_both_hold_it", || {
        let (view, source) = (attached(5), Arc::new(Source::default()));
        view.owe(&[tag(1)]);
        view.confirm(&ID, 0, &placed(6));
        source.acknowledge(1);
        // Above all that moves below: but for what holds its tag, it is current.
        let later = view.locate(&ID, 9);
        let left = Arc::new(std::sync::atomic::AtomicUsize::new(2));
        let order = std::sync::atomic::Ordering::SeqCst;
        let mut threads = Threads::new();
        let (ender, ends) = (Arc::clone(&view), Arc::clone(&left));
        threads.start(move || {
            ends.fetch_sub(1, order);
            ender.confirm(&ID, 0, &ended(7));
        });
        let (payer, pays) = (Arc::clone(&view), Arc::clone(&left));
        threads.start(move || {
            pays.fetch_sub(1, order);
            payer.settle(&[tag(1)], 8);
        });
        let judge = Arc::clone(&view);
        threads.start(move || {
            for _ in 0..2 {
                let judgement = judge.judge(later, &[tag(1)]);
                // Ahead: its tag is free, and the head is not there yet.
                assert!(judgement == Judgement::Outdated || left.load(order) == 0);
            }
        });
        threads.join();
        assert!(!view.holds_any(&[tag(1)]), "nothing holds it for ever");
        assert_eq!(view.judge(later, &[tag(1)]), Judgement::Ahead);
        let seven = view.locate(&ID, 7);
        assert_eq!(view.judge(seven, &[tag(1)]), Judgement::Outdated);
    });
}

/// The news of the end may be older than another record of the tag.
#[test]
fn a_move_of_what_is_held_is_not_forgotten() {
    explore("a_move_of_what_is_held_is_not_forgotten", || {
        let view = attached(5);
        let mut threads = Threads::new();
        let ower = Arc::clone(&view);
        threads.start(move || {
            ower.owe(&[tag(1)]);
            ower.settle(&[tag(1)], 6);
        });
        let writer = Arc::clone(&view);
        threads.start(move || writer.confirm(&ID, 0, &record(7, &[tag(1)])));
        let marker = Arc::clone(&view);
        threads.start(move || {
            marker.confirm(&ID, 0, &placed(4));
            marker.mark_ended(&ID, &MARK, 5);
        });
        threads.join();
        let six = view.locate(&ID, 6);
        assert_eq!(view.judge(six, &[tag(1)]), Judgement::Outdated);
        let records = vec![record(5, &[]), record(6, &[]), record(7, &[])];
        view.catch_up(5, &caught_up(7, 0, records, Vec::new()));
        let at = view.position();
        assert_eq!(view.judge(at, &[tag(1)]), Judgement::Current);
    });
}

/// The table is cleared, and what it said is in `since`: nobody sees the one without the other.
#[test]
fn a_bucket_full_of_debts_opens_up_unseen() {
    explore("a_bucket_full_of_debts_opens_up_unseen", || {
        let view = attached(5);
        let before = view.position();
        view.confirm(&ID, 0, &record(6, &[tag(4)]));
        let many = [tag(1), tag(2), tag(3)];
        view.owe(&many);
        let mut threads = Threads::new();
        for judged in [tag(4), tag(1)] {
            let view = Arc::clone(&view);
            threads.start(move || {
                for _ in 0..2 {
                    assert_ne!(view.judge(before, &[judged]), Judgement::Current);
                }
            });
        }
        let payer = Arc::clone(&view);
        threads.start(move || {
            payer.confirm(&ID, 0, &record(7, &many));
            payer.settle(&many, 7);
        });
        threads.join();
        let at = view.position();
        assert_eq!(view.judge(at, &[tag(9), tag(1)]), Judgement::Current);
    });
}
