//! A value, its judge and a change of the view: in whatever order their steps go, a judgement that
//! holds at an epoch is of that epoch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::calling::{Form, Setting, call};
use super::explore;
use super::oracle::{ID, Threads, attached, caught_up, entry, record, tag};
use crate::log::{Answer, Judgement, View};

/// A value whose compute an append overtakes is no hit afterwards.
#[test]
fn the_head_is_noted_before_the_compute() {
    explore("the_head_is_noted_before_the_compute", || {
        let setting = Setting::new();
        let mut threads = Threads::new();
        let reader = Arc::clone(&setting);
        threads.start(move || {
            call(&reader, Form::default());
        });
        let writer = Arc::clone(&setting);
        threads.start(move || writer.invalidate());
        threads.join();
        assert_eq!(call(&setting, Form::default()), 1);
    });
}

#[test]
fn tags_are_published_before_the_epoch() {
    explore("tags_are_published_before_the_epoch", || {
        let view = Arc::new(View::in_memory());
        let entry = Arc::new(entry(0, view.position(), &[tag(1), tag(2)]));
        let mut threads = Threads::new();
        for _ in 0..2 {
            let (view, entry) = (Arc::clone(&view), Arc::clone(&entry));
            threads.start(move || {
                entry.is_current(&view);
            });
        }
        let writer = Arc::clone(&view);
        threads.start(move || {
            writer.append(&[tag(2)]);
        });
        threads.join();
        assert!(!entry.is_current(&view));
    });
}

#[test]
fn the_floor_is_published_before_the_epoch() {
    explore("the_floor_is_published_before_the_epoch", || {
        let view = attached(5);
        let entry = Arc::new(entry(0, view.position(), &[tag(1)]));
        let mut threads = Threads::new();
        for _ in 0..2 {
            let (view, entry) = (Arc::clone(&view), Arc::clone(&entry));
            threads.start(move || {
                entry.is_current(&view);
            });
        }
        let follower = Arc::clone(&view);
        threads.start(move || {
            let records = vec![record(5, &[]), record(6, &[])];
            follower.catch_up(5, &caught_up(6, 6, records, Vec::new()));
        });
        threads.join();
        assert!(!entry.is_current(&view));
    });
}

#[test]
fn a_judge_reads_the_epoch_before_the_tags() {
    explore("a_judge_reads_the_epoch_before_the_tags", || {
        let view = Arc::new(View::in_memory());
        let at = view.position();
        let mut threads = Threads::new();
        let judge = Arc::clone(&view);
        let judged = Arc::new(AtomicU64::new(0));
        let said = Arc::clone(&judged);
        threads.start(move || {
            let (judgement, epoch) = judge.judge_at(at, &[tag(1), tag(2)]);
            if judgement == Judgement::Current {
                said.store(epoch, Ordering::Relaxed);
            }
        });
        let writer = Arc::clone(&view);
        threads.start(move || {
            writer.append(&[tag(3)]);
            writer.append(&[tag(2)]);
        });
        threads.join();
        assert!(
            judged.load(Ordering::Relaxed) < view.epoch(),
            "it is of before the epoch"
        );
    });
}

/// The position is of one log, and what is true of it: no half of another's.
#[test]
fn what_several_parts_say_is_of_one_epoch() {
    explore("what_several_parts_say_is_of_one_epoch", || {
        let view = attached(5);
        let mut threads = Threads::new();
        for _ in 0..2 {
            let view = Arc::clone(&view);
            threads.start(move || {
                let at = view.position();
                assert!(
                    [(1, 5), (0, 0), (2, 9)].contains(&(at.log, at.head)),
                    "{at:?}"
                );
                if let Some((id, at)) = view.identity() {
                    let known = [([1; 16], 1, 5), ([2; 16], 2, 9)];
                    assert!(known.contains(&(id, at.log, at.head)), "{id:?} {at:?}");
                }
            });
        }
        let follower = Arc::clone(&view);
        threads.start(move || {
            follower.confirm(&[2; 16], 0, &record(3, &[]));
            follower.follow([2; 16], 9, 0, &[]);
        });
        threads.join();
    });
}

/// Where a tag makes room for another, a reader finds it or what it was folded into.
#[test]
fn a_full_bucket_forgets_no_tag() {
    explore("a_full_bucket_forgets_no_tag", || {
        let view = attached(5);
        let at = view.position();
        for number in 1..=2 {
            view.confirm(&ID, 0, &record(5 + number, &[tag(number)]));
        }
        let mut threads = Threads::new();
        for number in 1..=2 {
            let view = Arc::clone(&view);
            threads.start(move || {
                for _ in 0..2 {
                    assert_eq!(view.judge(at, &[tag(number)]), Judgement::Outdated);
                }
            });
        }
        let writer = Arc::clone(&view);
        threads.start(move || {
            // The place of the first goes to one which has never moved, and then back.
            let answer = Answer {
                id: ID,
                head: 7,
                floor: 0,
                versions: vec![0],
            };
            writer.learn(&[tag(4)], &answer);
            writer.confirm(&ID, 0, &record(8, &[tag(1)]));
        });
        threads.join();
    });
}
